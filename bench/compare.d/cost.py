# SPDX-License-Identifier: Apache-2.0
"""CPU per request and memory per binding. Each function is a phase and returns its raw figures, one
per round; a round takes the servers in turn, so that a change of the machine's speed meets all."""

import statistics

import flood
import machine
from servers import ALL, Kamailio, Signpost

REQUESTS = ("refresh", "invite", "options")
# Requests to take a cost from: a second or more of the server's time.
COUNT = {"echo": 400000, "kamailio": 100000, "signpost": 400000}
# As phones come: each request from another port than the one before, for a user anywhere.
PHONES = {"scatter": True, "ports": 200}
# As an edge proxy sends: many requests in a row from one port, as datagrams or as trains of them.
PROXY = {}
TRAINS = {"gso": True, "gro": True}


def count_for(bench, kind):
    return COUNT[kind.name] // (8 if bench.quick else 1)


# --- Kamailio's best ---------------------------------------------------------------------------


def children(bench):
    """How many processes serve Kamailio best on one core."""
    found = {str(n): [] for n in (1, 2, 4)}
    users = bench.users // 5
    for _ in bench.rounds("Kamailio's children", min(bench.rounds_count, 3)):
        for n, figures in found.items():
            with bench.serve(Kamailio, children=int(n), users=users) as server:
                flood.fill(bench, server, users, ports=PHONES["ports"])
                count = count_for(bench, Kamailio) // 2
                costs = [flood.cost(bench, server, scenario, users=users, count=count, **PHONES)
                         for scenario in ("refresh", "invite")]
                figures.append(round(sum(cost["us"] for cost in costs) / 2, 3))
    best = min(found, key=lambda n: statistics.median(found[n]))
    return {"us": found, "best": int(best)}


# --- cost of a request -------------------------------------------------------------------------


def costs_of(bench, server, users, count, **how):
    return {scenario: flood.cost(bench, server, scenario, users=users, count=count, **how)
            for scenario in REQUESTS}


def cost(bench, stateful=False, senders=PHONES):
    """CPU per request of a population that is registered already."""
    kinds = (Kamailio, Signpost) if stateful else ALL
    found = {kind.name: [] for kind in kinds}
    what = "CPU per request, " + ("stateful" if stateful else "stateless") + \
           (", in runs" if senders is PROXY else ", in trains" if senders is TRAINS else "")
    for _ in bench.rounds(what):
        for kind in kinds:
            with bench.serve(kind, stateful=stateful, users=bench.users,
                             trains=senders is TRAINS) as server:
                flood.fill(bench, server, bench.users, ports=senders.get("ports"))
                found[kind.name].append(costs_of(bench, server, bench.users,
                                                 count_for(bench, kind), ack=stateful, **senders))
    return {"users": bench.users, "rounds": found}


def cost_stateful(bench):
    return cost(bench, stateful=True)


def cost_in_runs(bench):
    return cost(bench, senders=PROXY)


def cost_in_trains(bench):
    return cost(bench, senders=TRAINS)


def new(bench):
    """New addresses: CPU for each, and the memory they take."""
    found = {kind.name: [] for kind in ALL}
    for _ in bench.rounds(f"{bench.many} new addresses"):
        for kind in ALL:
            with bench.serve(kind, users=bench.many) as server:
                before = server.resident_bytes()
                one = {"register": flood.cost(bench, server, "register", users=bench.many,
                                              count=bench.many, **PHONES)}
                one["bytes"] = round((server.resident_bytes() - before) / bench.many, 1)
                for scenario in ("refresh", "invite"):
                    one[scenario] = flood.cost(bench, server, scenario, users=bench.many,
                                               count=count_for(bench, kind), **PHONES)
                found[kind.name].append(one)
    return {"users": bench.many, "rounds": found}


def population(bench):
    """What a refresh and a look-up cost as the table grows."""
    sizes = [n for n in (10 ** 4, 10 ** 5, 10 ** 6, 10 ** 7) if n <= bench.most]
    found = {"kamailio": {str(n): [] for n in sizes}, "signpost": {str(n): [] for n in sizes}}
    for number in bench.rounds(f"{sizes[0]} to {sizes[-1]} bindings"):
        for size in sizes:
            for kind in (Kamailio, Signpost):
                # Kamailio takes a minute for a million: the phase "new" has measured that.
                if kind is Kamailio and size >= 10 ** 6 and not (bench.full and number == 1):
                    continue
                if kind.bytes_per_binding * size > machine.memory_available_bytes():
                    bench.complain(f"no memory for {size} bindings in {kind.name}")
                    continue
                with bench.serve(kind, users=size) as server:
                    flood.fill(bench, server, size, ports=PHONES["ports"])
                    count = count_for(bench, kind)
                    if kind is Signpost:  # the whole table, if that is not too much
                        count = max(count, min(size, 2 * 10 ** 6))
                    found[kind.name][str(size)].append(
                        {scenario: flood.cost(bench, server, scenario, users=size, count=count,
                                              **PHONES)
                         for scenario in ("refresh", "invite")})
    return {"sizes": sizes, "rounds": found}
