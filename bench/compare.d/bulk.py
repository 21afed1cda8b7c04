# SPDX-License-Identifier: Apache-2.0
"""What concerns very many bindings at once, while others are refreshed: they expire in the same
second, or all are told over HTTP. Each has two measurements, a calm one and one meanwhile."""

import os
import re
import subprocess
import time
import urllib.request

import flood
from servers import HOST, Signpost

CHUNK_S = 0.2    # so long may a chunk take that shares one Expires
SLACK_S = 4      # from the last chunk to the calm before
MEASURE_S = 2    # how long each of the two measurements is
EARLY_S = 0.5    # the second one begins so much before the moment

EXPIRED_PER_S_MIN = 100_000  # they go little by little
READ_S_MAX = 240  # it is told slowly on purpose
BYTES_MIN = 60   # of a binding's line, its address and Contact alone

# Reads all that is told and prints how many bytes that was and how many seconds it took.
READER = """
import sys, time, urllib.request
start, room, told = time.monotonic(), bytearray(1 << 20), 0
with urllib.request.urlopen(sys.argv[1], timeout=30) as answer:
    while n := answer.readinto(room):
        told += n
print(told, round(time.monotonic() - start, 3))
"""


def gauge(address, name):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    match = re.search(rf"^{name} (\d+)", text, re.MULTILINE)
    return int(match[1]) if match else 0


def fill_until(bench, server, moment_s, chunk):
    """Registers addresses in chunks, each with the Expires that ends at the moment."""
    for number in range(-(-bench.many // chunk)):
        left_s = round(moment_s - time.time())
        if left_s < 1:
            raise RuntimeError("the addresses were not registered in time")
        flood.run(bench, server, "register", users=chunk, window=flood.WINDOW, timeout=1,
                  domain=f"e{number:03d}.tst", expires=left_s)


def live(bench, server, busy=True):
    """Refreshes at half of saturation."""
    rate = bench.capacity("signpost", "refresh") / 2
    return flood.latency(bench, server, "refresh", bench.users, rate, float(MEASURE_S),
                         busy=busy)


def expire_once(bench, admin, server):
    per_s = flood.run(bench, server, "register", users=bench.users, window=flood.WINDOW,
                      timeout=1)["answers_per_s"]
    # A process is started for each chunk; hence twice the time, and some more.
    moment_s = int(time.time() + 2.5 * bench.many / per_s + MEASURE_S + SLACK_S) + 0.5
    fill_until(bench, server, moment_s, max(1000, int(per_s * CHUNK_S)))
    there = gauge(admin, "signpost_bindings")
    calm = live(bench, server)
    flood.pause_until(moment_s - EARLY_S)
    during = live(bench, server)
    flood.pause_until(moment_s + 3 + bench.many / EXPIRED_PER_S_MIN)
    expired = there - gauge(admin, "signpost_bindings")
    if expired < bench.many:
        bench.complain(f"only {expired} bindings have expired at the moment")
    return {"calm": calm, "during": during, "expired": expired}


def reader_core(bench):
    """One that neither server nor generator uses, or else the generator's."""
    free = os.sched_getaffinity(0) - {bench.server_core, bench.generator_core}
    return min(free, default=bench.generator_core)


def finish(reader):
    """How many bytes it has read, in how many seconds."""
    try:
        text = reader.communicate(timeout=READ_S_MAX)[0]
    except BaseException:
        reader.kill()
        reader.communicate()
        raise
    if reader.returncode != 0:
        raise RuntimeError("the bindings could not be read")
    told, seconds = text.split()
    return int(told), float(seconds)


def dump_once(bench, admin, server):
    flood.fill(bench, server, bench.many)
    # The reader may have the generator's core beside it, but is not to hold it up.
    calm = live(bench, server, busy=False)
    reader = subprocess.Popen(["chrt", "--idle", "0", "taskset", "-c", str(reader_core(bench)),
                               "python3", "-c", READER, f"http://{admin}/bindings"],
                              stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        during = live(bench, server, busy=False)
    finally:
        told, seconds = finish(reader)
    if told < bench.many * BYTES_MIN:
        bench.complain(f"only {told} bytes tell {bench.many} bindings")
    return {"calm": calm, "during": during, "told_bytes": told, "seconds": seconds}


def phase(bench, what, once):
    admin = f"{HOST}:{bench.port + 1}"
    found = []
    for _ in bench.rounds(f"{bench.many} bindings {what}"):
        with bench.serve(Signpost, admin=admin) as server:
            found.append(once(bench, admin, server))
    return {"users": bench.many, "rounds": found}


def expiry(bench):
    return phase(bench, "expire", expire_once)


def dump(bench):
    return phase(bench, "are told", dump_once)
