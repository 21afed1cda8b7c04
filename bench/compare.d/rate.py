# SPDX-License-Identifier: Apache-2.0
"""Requests per second without loss, and latency below that. Each function is a phase."""

import flood
from servers import ALL, Echo, Signpost

REQUESTS = ("refresh", "invite", "options")



def saturation(bench):
    """The highest rate without loss."""
    found = {kind.name: {scenario: [] for scenario in REQUESTS} for kind in ALL}
    for _ in bench.rounds("saturation"):
        for kind in ALL:
            with bench.serve(kind, users=bench.users) as server:
                flood.fill(bench, server, bench.users)
                for scenario in REQUESTS:
                    with flood.watched(bench, server):
                        highest = flood.find_max(bench, server, scenario, bench.users,
                                                 bench.probe_s)
                    found[kind.name][scenario].append(highest)
    return {"users": bench.users, "rounds": found}


def half(bench):
    """Latency at half of Signpost's saturation, and the echo's at the same rate."""
    found = {"echo": {}, "signpost": {}}
    for _ in bench.rounds("latency at half of saturation"):
        for kind in (Echo, Signpost):
            with bench.serve(kind) as server:
                flood.fill(bench, server, bench.users)
                for scenario in ("refresh", "invite"):
                    rate = bench.capacity("signpost", scenario) / 2
                    found[kind.name].setdefault(scenario, []).append(
                        flood.latency(bench, server, scenario, bench.users, rate, bench.run_s))
    return {"rounds": found}


def curve(bench):
    """Latency of refreshes from a tenth of saturation up to it, each server at its own."""
    bench.say("latency over load")
    found = {}
    for kind in ALL:
        with bench.serve(kind) as server:
            flood.fill(bench, server, bench.users)
            capacity = bench.capacity(kind.name, "refresh")
            found[kind.name] = [
                flood.latency(bench, server, "refresh", bench.users, capacity * tenths / 10,
                              bench.run_s) for tenths in range(1, 11)]
    return {"points": found}
