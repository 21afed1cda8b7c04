# SPDX-License-Identifier: Apache-2.0
"""What it costs to keep bindings on disk, and how soon they are there again after a crash. Each
function is a phase."""

import os
import re
import signal
import time

import flood
import machine
from cost import COUNT, PHONES, PROXY, count_for
from servers import Kamailio, Signpost

MODES = ("memory", "async", "sync")
WAITING = 4096        # requests under way where answers wait for a disk
READY_S_MAX = 120
SETTLE_S = 1          # until the last changes are on disk


def modes(bench):
    """CPU per refresh and new REGISTER: in memory, and kept."""
    found = {mode: [] for mode in MODES}
    for _ in bench.rounds("CPU per REGISTER, kept on disk"):
        for mode in MODES:
            with bench.serve(Signpost, durability=mode) as server:
                one = {"register": flood.cost(bench, server, "register", users=bench.users,
                                              count=bench.users, **PHONES)}
                for name, senders in (("refresh", PHONES), ("runs", PROXY)):
                    one[name] = flood.cost(bench, server, "refresh", users=bench.users,
                                           count=count_for(bench, Signpost), **senders)
                found[mode].append(one)
    return {"users": bench.users, "rounds": found}


def throughput(bench):
    """REGISTERs per second, of which each is on disk before its 200, beside Kamailio that keeps
    them in memory only."""
    found = {kind.name: [] for kind in (Kamailio, Signpost)}
    for _ in bench.rounds("200 after fdatasync"):
        for kind in (Kamailio, Signpost):
            with bench.serve(kind, users=bench.users, durability="sync") as server:
                one = {}
                for scenario, count in (("register", bench.users), ("refresh", COUNT[kind.name])):
                    with flood.watched(bench, server):
                        report = flood.run(bench, server, scenario, users=bench.users, count=count,
                                           window=WAITING, timeout=2)
                    one[scenario] = {"per_s": round(report["answers_per_s"]),
                                     "p99": report["latency_us"]["p99"],
                                     "lost": report["counts"]["lost"]}
                found[kind.name].append(one)
    return {"users": bench.users, "rounds": found}


def half(bench):
    """Latency of refreshes at half of saturation, in memory and kept."""
    found = {mode: [] for mode in ("memory", "async")}
    rate = bench.capacity("signpost", "refresh") / 2
    for _ in bench.rounds("latency at half of saturation, kept on disk"):
        for mode, figures in found.items():
            with bench.serve(Signpost, durability=mode) as server:
                flood.fill(bench, server, bench.users)
                figures.append(flood.latency(bench, server, "refresh", bench.users, rate,
                                             bench.run_s))
    return {"rounds": found}


def ready_s(server):
    """Starts the server anew; seconds until it says that it is ready, and what it has loaded."""
    start_s = time.monotonic()
    server.start(both_cores=True)
    log = os.path.join(server.folder, "log")
    while "ready" not in (text := machine.read(log)):
        if server.process.poll() is not None or time.monotonic() > start_s + READY_S_MAX:
            raise RuntimeError(f"signpostd does not start again:\n{text}")
        time.sleep(0.01)
    loaded = re.search(r"(\d+) bindings loaded", text)
    return round(time.monotonic() - start_s, 3), int(loaded[1]) if loaded else 0


def restart(bench):
    """How soon a server serves again that was killed, with both cores."""
    sizes = [n for n in (10 ** 5, 10 ** 6, 10 ** 7) if n <= bench.most]
    found = {str(n): [] for n in sizes}
    for size in sizes:
        rounds = bench.rounds_count if size < 10 ** 7 else 1
        for _ in bench.rounds(f"restart with {size} bindings", rounds):
            with bench.serve(Signpost, durability="async", expires=86400) as server:
                flood.fill(bench, server, size, expires=86400)
                # As it is in service: every second binding has been refreshed since.
                flood.run(bench, server, "refresh", users=size, count=size // 2,
                          window=flood.WINDOW, timeout=1, expires=86400)
                time.sleep(SETTLE_S)
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
                seconds, loaded = ready_s(server)
                if loaded != size:
                    bench.complain(f"{loaded} of {size} bindings were there after a restart")
                found[str(size)].append({"seconds": seconds, "loaded": loaded})
    return {"sizes": sizes, "rounds": found}
