# SPDX-License-Identifier: Apache-2.0
"""Very many bindings expire in the same second, while others are refreshed."""

import re
import time
import urllib.request

import flood
from servers import HOST, Signpost

CHUNK_S = 0.2    # so long may a chunk take that shares one Expires
SLACK_S = 4      # from the last chunk to the calm before
CALM_S = 2       # how long each of the two measurements is
EARLY_S = 0.5    # the second one begins so much before the moment


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


def one(bench):
    admin = f"{HOST}:{bench.port + 1}"
    with bench.serve(Signpost, admin=admin) as server:
        per_s = flood.run(bench, server, "register", users=bench.users, window=flood.WINDOW,
                          timeout=1)["answers_per_s"]
        chunk = max(1000, int(per_s * CHUNK_S))
        # A process is started for each chunk; hence twice the time, and some more.
        moment_s = int(time.time() + 2.5 * bench.many / per_s + CALM_S + SLACK_S) + 0.5
        fill_until(bench, server, moment_s, chunk)
        rate = bench.capacity("signpost", "refresh") / 2
        there = gauge(admin, "signpost_bindings")
        calm = flood.latency(bench, server, "refresh", bench.users, rate, float(CALM_S))
        flood.pause_until(moment_s - EARLY_S)
        during = flood.latency(bench, server, "refresh", bench.users, rate, float(CALM_S))
        flood.pause_until(moment_s + 3)
        expired = there - gauge(admin, "signpost_bindings")
        if expired < bench.many:
            bench.complain(f"only {expired} bindings have expired at the moment")
        return {"calm": calm, "during": during, "expired": expired}


def expiry(bench):
    found = [one(bench) for _ in bench.rounds(f"{bench.many} bindings expire")]
    return {"users": bench.many, "rounds": found}
