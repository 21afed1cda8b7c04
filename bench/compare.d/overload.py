# SPDX-License-Identifier: Apache-2.0
"""More than the server can answer: what still is answered, how old that is, and how soon all is
well again."""

import time

import flood
from servers import ALL, Kamailio, Signpost

MULTIPLES = (0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
OFFERED = 3  # times the capacity
TIMEOUT_S = 1
GENERATOR_SHARE_MAX = 0.93  # of its core, so that it never falls behind
SLICE_S = 0.25
SLICES_MAX = 12
RECOVERY_DOMAIN = "rec.test"
RECOVERY_PORTS = 100  # the probes' local ports begin so much higher


def generator_limit(bench, server, rate, gso):
    """What the generator could send at most: its CPU for each of a second's requests tells."""
    report = flood.run(bench, server, "refresh", users=bench.users, rate=int(rate),
                       duration=1.0, timeout=TIMEOUT_S, gso=gso)
    return GENERATOR_SHARE_MAX * 1e6 / report["cpu_us_per_request"]


def highest_rate(bench, server, wanted):
    """(rate, whether in trains): `wanted`, or what the generator can send if that is less. Beyond
    that, latencies would be the generator's own. Trains (UDP GSO) are cheaper to send, and come
    to the server as single datagrams all the same."""
    for gso in (False, True):
        limit = generator_limit(bench, server, wanted, gso)
        if limit >= wanted:
            return wanted, gso
    return limit, True


def offered_per_s(report, duration):
    return report["counts"]["sent"] / duration


def goodput_per_s(report):
    """Right answers over the time in which they came, the emptying of queues included."""
    return report["counts"]["right"] / report["elapsed_s"]


def recovery_s(bench, server, end_s):
    """Seconds from the end of the overload to the end of the first quarter of a second at half of
    the capacity in which nothing was lost or late; None if there was none."""
    rate = bench.capacity(server.name, "refresh") / 2
    flood.pause_until(end_s)
    for _ in range(SLICES_MAX):
        report = flood.run(bench, server, "refresh", users=bench.users, rate=int(rate),
                           duration=SLICE_S, timeout=SLICE_S, domain=RECOVERY_DOMAIN,
                           local_port=bench.local_port + RECOVERY_PORTS)
        if (report["loss_percent"] < flood.LOSS_PERCENT_MAX and
                report["latency_us"]["p99"] < flood.LATENCY_US_MAX):
            return round(time.time() - end_s, 2)
    return None


def endure(bench, server):
    """One stretch of overload."""
    capacity = bench.capacity(server.name, "refresh")
    rate, gso = highest_rate(bench, server, OFFERED * capacity)
    start_s = time.time()
    process = flood.start(bench, server, "refresh", users=bench.users, rate=int(rate),
                          duration=float(bench.overload_s), timeout=TIMEOUT_S, busy=True,
                          gso=gso)
    try:
        recovered_s = recovery_s(bench, server, start_s + bench.overload_s)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    report = flood.finish(bench, process)
    counts = report["counts"]
    return {
        "capacity": capacity,
        "offered": round(offered_per_s(report, bench.overload_s)),
        "goodput": round(goodput_per_s(report)),
        "oldest_ms": round(report["latency_us"]["max"] / 1000, 1),
        "p99_ms": round(report["latency_us"]["p99"] / 1000, 1),
        "late": counts["late"],
        "recovery_s": recovered_s,
    }


def goodput_curve(bench, server):
    """Answers over what is offered, in short stretches."""
    capacity = bench.capacity(server.name, "refresh")
    limit, gso = highest_rate(bench, server, MULTIPLES[-1] * capacity)
    points = []
    for multiple in MULTIPLES:
        rate = min(multiple * capacity, limit)
        report = flood.run(bench, server, "refresh", users=bench.users, rate=int(rate),
                           duration=bench.run_s, timeout=TIMEOUT_S, busy=True, gso=gso)
        points.append({"offered": round(offered_per_s(report, bench.run_s)),
                       "goodput": round(goodput_per_s(report))})
        if rate == limit:
            break
    return {"capacity": capacity, "points": points}


def overload(bench):
    """The curve once for each server, then overload at length in rounds."""
    curves = {}
    for kind in ALL:
        bench.say(f"goodput over load: {kind.name}")
        with bench.serve(kind, users=bench.users) as server:
            flood.fill(bench, server, bench.users)
            curves[kind.name] = goodput_curve(bench, server)
    found = {"kamailio": [], "signpost": []}
    for number in bench.rounds("overload", bench.overload_rounds):
        # Kamailio stands beside it for once: no target depends on it, and each takes long.
        for kind in (Kamailio, Signpost) if number == 1 or bench.full else (Signpost,):
            with bench.serve(kind, users=bench.users) as server:
                flood.fill(bench, server, bench.users)
                flood.fill(bench, server, bench.users, domain=RECOVERY_DOMAIN,
                           local_port=bench.local_port + RECOVERY_PORTS)
                with flood.watched(bench, server):
                    found[kind.name].append(endure(bench, server))
    return {"seconds": bench.overload_s, "rounds": found, "curves": curves}
