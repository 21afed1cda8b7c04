# SPDX-License-Identifier: Apache-2.0
"""What must be reached, row by row, from the raw figures of the phases."""

import dataclasses
import statistics

NOT_MEASURED = "not measured"
STRETCH = 10        # times Kamailio


@dataclasses.dataclass
class Row:
    """One clause of the table. `met` is None where there is nothing to judge."""

    what: str
    target: str
    figure: str = NOT_MEASURED
    met: bool | None = None
    signpost: str = ""
    kamailio: str = ""
    echo: str = ""
    stretch: float | None = None  # times better than Kamailio, where that is the question


@dataclasses.dataclass
class Spread:
    """The median of the rounds and how far they lie apart."""

    values: list

    @property
    def median(self):
        return statistics.median(self.values)

    def text(self, form):
        low, high, median = (form(v) for v in (min(self.values), max(self.values), self.median))
        return median if low == high else f"{median} ({low}..{high})"


def us(value):
    if value >= 10000:
        return f"{value / 1000:.0f} ms"
    return f"{value:.2f} µs" if value < 100 else f"{value:.0f} µs"


def ms(value):
    return f"{value:.0f} ms"


def times(value):
    return f"{value:.2f} x" if value < 10 else f"{value:.1f} x"


def per_s(value):
    return f"{value / 1000:.0f} k/s"


def rounds(data, phase, name):
    return data.get(phase, {}).get("rounds", {}).get(name, [])


def spread(data, phase, name, *path):
    """Of one figure over the rounds of a phase; None if it has not been measured."""
    values = []
    for one in rounds(data, phase, name):
        for key in path:
            one = one[key]
        values.append(one)
    return Spread(values) if values else None


def ratio(above, below):
    """Round by round: only what was measured side by side is divided."""
    return Spread([a / max(b, 1e-9) for a, b in zip(above.values, below.values)])


def show(found, form):
    return found.text(form) if found else ""


# --- CPU ---------------------------------------------------------------------------------------


def cost_rows(data, phase, scenario, what, peer_times, floor_times):
    """Against Kamailio and, where `floor_times` is given, against the echo."""
    mine, peer, floor = (spread(data, phase, name, scenario, "us")
                         for name in ("signpost", "kamailio", "echo"))
    shown = {"signpost": show(mine, us), "kamailio": show(peer, us), "echo": show(floor, us)}
    row = Row(what, f"Kamailio / {peer_times}" if peer_times else "beside it", **shown)
    if mine and peer:
        gain = ratio(peer, mine)
        row.figure = "1 / " + gain.text(times).replace(" x", "")
        row.stretch = gain.median
        row.met = gain.median >= peer_times if peer_times else None
    yield row
    if floor_times:
        row = Row("", f"{floor_times} x echo")
        if mine and floor:
            above = ratio(mine, floor)
            row.figure, row.met = above.text(times), above.median <= floor_times
        yield row


def cpu_rows(data):
    yield from cost_rows(data, "cost", "refresh", "CPU per refreshing REGISTER", 6, 1.5)
    yield from cost_rows(data, "cost", "invite", "CPU per INVITE, answered 302", 7, 1.5)
    yield from cost_rows(data, "new", "register", "CPU per new REGISTER", 10, None)
    yield from cost_rows(data, "cost", "options", "CPU per OPTIONS", None, None)
    for scenario, what in (("refresh", "refreshing REGISTER"), ("invite", "INVITE")):
        yield from cost_rows(data, "runs", scenario, f"as a proxy sends: {what}", None, 1.5)
        yield from cost_rows(data, "trains", scenario, f"in trains: {what}", None, 1.5)
    for scenario, what in (("refresh", "refreshing REGISTER"), ("invite", "INVITE, with its ACK"),
                           ("options", "OPTIONS")):
        yield from cost_rows(data, "stateful", scenario, f"stateful: CPU per {what}", None, None)


# --- rate, memory, population ------------------------------------------------------------------


def rate_rows(data):
    found = data.get("saturation", {}).get("rounds", {})
    for scenario, what in (("refresh", "refreshing REGISTER"), ("invite", "INVITE"),
                           ("options", "OPTIONS"), ("register", "new REGISTER (closed loop)")):
        if scenario == "register":
            mine, peer, floor = (spread(data, "new", name, scenario, "per_s")
                                 for name in ("signpost", "kamailio", "echo"))
        else:
            mine, peer, floor = (Spread(found[name][scenario]) if found else None
                                 for name in ("signpost", "kamailio", "echo"))
        row = Row(f"requests/s without loss: {what}", "Kamailio x 6" if scenario != "options"
                  else "beside it", signpost=show(mine, per_s), kamailio=show(peer, per_s),
                  echo=show(floor, per_s))
        if mine and peer:
            gain = ratio(mine, peer)
            row.figure, row.stretch = gain.text(times), gain.median
            row.met = gain.median >= 6 if scenario != "options" else None
        yield row


def size(value):
    return f"{value:.0f} B"


def memory_row(data):
    mine, peer = (spread(data, "new", name, "bytes") for name in ("signpost", "kamailio"))
    row = Row("memory per binding", "<= 400 B", signpost=show(mine, size),
              kamailio=show(peer, size))
    if mine:
        row.figure, row.met = size(mine.median), mine.median <= 400
    return row


def many(value):
    return f"{value // 10 ** 6} M" if value >= 10 ** 6 else f"{value // 1000} k"


def population_rows(data):
    found = data.get("population", {})
    sizes = found.get("sizes", [10 ** 4, 10 ** 7])
    for scenario, what in (("refresh", "refresh"), ("invite", "look-up")):
        row = Row(f"cost per {what} at {many(sizes[-1])} bindings", f"1.5 x at {many(sizes[0])}")
        spreads = {}
        for name in ("signpost", "kamailio"):
            ends = [found["rounds"][name][str(n)] if found else [] for n in (sizes[0], sizes[-1])]
            if all(ends):
                small, large = (Spread([one[scenario]["us"] for one in end]) for end in ends)
                spreads[name] = ratio(large, small)
                setattr(row, name, f"{us(small.median)}, {us(large.median)}")
        if "signpost" in spreads:
            row.figure = spreads["signpost"].text(times)
            # Anything less than ten millions is a hint, and not the answer.
            if sizes[-1] >= 10 ** 7:
                row.met = spreads["signpost"].median <= 1.5
            else:
                row.figure += " (10 M: --full)"
        yield row


# --- latency, overload, expiry -----------------------------------------------------------------


def half_rows(data):
    found = data.get("half", {}).get("rounds", {})
    for scenario, what in (("refresh", "REGISTER"), ("invite", "INVITE")):
        row = Row(f"p99 at half of saturation: {what}", "2 x echo")
        if found:
            mine, floor = (Spread([one["p99"] for one in found[name][scenario]])
                           for name in ("signpost", "echo"))
            above = ratio(mine, floor)
            row.signpost, row.echo = mine.text(us), floor.text(us)
            row.figure, row.met = above.text(times), above.median <= 2
        yield row


def overload_rows(data):
    seconds = data.get("overload", {}).get("seconds", 30)
    mine, peer = rounds(data, "overload", "signpost"), rounds(data, "overload", "kamailio")

    def of(found, value, form):
        return show(Spread([value(one) for one in found]) if found else None, form)

    def percent(value):
        return f"{100 * value:.0f} %"

    def goodput(one):
        return one["goodput"] / one["capacity"]

    def offered(one):
        return one["offered"] / one["capacity"]

    def oldest(one):
        return one["oldest_ms"]

    def recovery(one):
        return one["recovery_s"] if one["recovery_s"] is not None else float("inf")

    def seconds_text(value):
        return f"{value:.2f} s" if value != float("inf") else "none"

    yield Row(f"offered for {seconds} s, times capacity", "3 x", of(mine, offered, times) or
              NOT_MEASURED, None, of(mine, offered, times), of(peer, offered, times))
    for what, target, value, form, holds in (
            ("  goodput, of the highest rate without loss", ">= 90 %", goodput, percent,
             lambda v: v >= 0.9),
            ("  age of the oldest request answered", "<= 500 ms", oldest, ms, lambda v: v <= 500),
            ("  recovery", "<= 1 s", recovery, seconds_text, lambda v: v <= 1)):
        row = Row(what, target, signpost=of(mine, value, form), kamailio=of(peer, value, form))
        if mine:
            median = statistics.median(value(one) for one in mine)
            row.figure, row.met = form(median), holds(median)
        yield row


def bulk_row(data, phase, what):
    found = data.get(phase, {})
    users = many(found.get("users", 10 ** 6))
    row = Row(f"p99 while {users} bindings {what}", "2 x before")
    if found:
        calm, during = (Spread([one[name]["p99"] for one in found["rounds"]])
                        for name in ("calm", "during"))
        above = ratio(during, calm)
        row.signpost = f"{calm.text(us)}, then {during.text(us)}"
        row.figure, row.met = above.text(times), above.median <= 2
    return row


# --- kept on disk ------------------------------------------------------------------------------


def kept_rows(data):
    found = data.get("kept", {}).get("rounds", {})
    for scenario, what in (("refresh", "refresh"), ("runs", "refresh, as a proxy sends"),
                           ("register", "new REGISTER")):
        for mode, target in (("async", "1.6 x in memory"), ("sync", "beside it")):
            row = Row(f"durability {mode}: CPU per {what}", target)
            if found:
                memory, kept = (Spread([one[scenario]["us"] for one in found[name]])
                                for name in ("memory", mode))
                above = ratio(kept, memory)
                row.signpost = f"{memory.text(us)}, then {kept.text(us)}"
                row.figure = above.text(times)
                row.met = above.median <= 1.6 if mode == "async" else None
            yield row


def kept_rate_rows(data):
    for scenario, what in (("refresh", "refreshing REGISTER"), ("register", "new REGISTER")):
        mine, peer = (spread(data, "keptrate", name, scenario, "per_s")
                      for name in ("signpost", "kamailio"))
        row = Row(f"requests/s, 200 after fdatasync: {what}", "Kamailio in memory x 3",
                  signpost=show(mine, per_s), kamailio=show(peer, per_s))
        if mine and peer:
            gain = ratio(mine, peer)
            row.figure, row.met = gain.text(times), gain.median >= 3
        yield row


def kept_half_row(data):
    found = data.get("kepthalf", {}).get("rounds", {})
    row = Row("p99 at half of saturation, durability async", "1.2 x in memory")
    if found:
        memory, kept = (Spread([one["p99"] for one in found[mode]]) for mode in ("memory", "async"))
        above = ratio(kept, memory)
        row.signpost = f"{memory.text(us)}, then {kept.text(us)}"
        row.figure, row.met = above.text(times), above.median <= 1.2
    return row


def restart_rows(data):
    found = data.get("restart", {}).get("rounds", {})
    for size, limit_s in ((10 ** 6, 2), (10 ** 7, 15)):
        row = Row(f"serving again with {many(size)} bindings", f"<= {limit_s} s")
        if found.get(str(size)):
            seconds = Spread([one["seconds"] for one in found[str(size)]])
            row.signpost = row.figure = seconds.text(lambda value: f"{value:.2f} s")
            row.met = seconds.median <= limit_s
        yield row


def rows(data):
    return [
        *cpu_rows(data),
        *rate_rows(data),
        memory_row(data),
        *population_rows(data),
        *half_rows(data),
        *overload_rows(data),
        bulk_row(data, "expiry", "expire at once"),
        bulk_row(data, "dump", "are told over HTTP"),
        *kept_rows(data),
        *kept_rate_rows(data),
        kept_half_row(data),
        *restart_rows(data),
        Row("instructions per uas_handle", "budgets", "the test release.budgets holds them"),
    ]


# --- what to know about the rounds -------------------------------------------------------------


def echo_outliers(found):
    """Rounds in which the echo, which never changes, took a third more or less than usual."""
    if not found:
        return
    values = [statistics.mean(request["us"] for request in one.values()
                              if isinstance(request, dict)) for one in found]
    middle = statistics.median(values)
    for number, value in enumerate(values, 1):
        if abs(value - middle) > 0.3 * middle:
            yield number, f"the echo took {value:.1f} µs instead of {middle:.1f}"


def disturbed(data):
    """(phase, round, why) of every round that was not alone on its cores."""
    found = []
    for phase, figures in data.items():
        for number, name, why in figures.get("made", {}).get("disturbed", []):
            found.append((phase, number, f"{name}: {why}"))
    for phase in ("cost", "new"):
        echo = data.get(phase, {}).get("rounds", {}).get("echo", [])
        found += [(phase, number, why) for number, why in echo_outliers(echo)]
    return found
