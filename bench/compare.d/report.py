# SPDX-License-Identifier: Apache-2.0
"""The table on the terminal, the report with plots, and the README's section about performance."""

import os

import plots
import targets

COLUMNS = ("what", "target", "figure", "met", "Signpost", "Kamailio", "echo")
README_BEGIN = "<!-- written by bench/compare: begin -->\n"
README_END = "<!-- written by bench/compare: end -->\n"
README_PLOTS = ("cpu.svg", "latency.svg")

ALT = {
    "cpu.svg": "CPU per request of Signpost, Kamailio and a UDP echo",
    "rate.svg": "Highest rate without loss",
    "latency.svg": "Latency over load",
    "overload.svg": "Goodput under overload",
    "memory.svg": "Memory per binding",
    "population.svg": "Cost per request over the number of bindings",
}

METHOD = """\
The server under test has core {server} for itself, the generator (sipflood) another one; both talk
over loopback. The three servers get the same bytes and take turns in every round; figures are
medians, with the lowest and the highest round in brackets. Ratios are taken within a round, which
is why they need not be the quotient of two medians.

- **CPU per request** is user and system time of all threads and processes of the server, from
  `/proc/PID/stat`, over requests answered, in a closed loop of {window} requests. On loopback the
  kernel does the receiver's share of the work in the sender's time: a server is charged for
  delivering its answers, not for getting its requests. That holds for all three alike. The
  requests come as phones send them: each from another of 200 ports than the one before, for a
  user anywhere. *As a proxy sends* they come in runs of up to 32 from one port, and their answers
  leave Signpost as trains; so they do in what follows, where the generator has to be fast. *In
  trains* the generator sends and takes them too (`--gso --gro`, `udp-trains: on`), which shows how
  far it is below the floor of plain sockets: the echo beside it is still the plain one.
- **Saturation** is the highest rate in open loop with less than 0.1 % lost and p99 below 50 ms,
  found by bisection. Latency counts from the moment a request was meant to be sent.
- **The echo** (`bench/udpecho`) sends back what it gets, in batches, and does nothing else.
- **Kamailio** has the configuration `bench/compare.d/kamailio.cfg`: bindings in memory only
  (`db_mode` 0), 2^16 rows, UDP only, no log, no DNS, no aliases, no `Server` header, only the
  modules that are needed, a receive buffer as large as Signpost's,
  {children}.
  Stateless it answers through `sl`, without `tm` being loaded; stateful through `tm`.
- **Signpost** has one worker, `transactions: stateless` and `store: memory` where the row does not
  say otherwise, `expires-min-s: 1`, and its admin page only where that is measured; it is otherwise
  as it comes.
- Every answer is checked by the generator: status, To tag, Call-ID, CSeq and the Contacts.
- A binding: address of record `sip:u0000000@sip.test` (21 bytes), Contact
  `sip:u0000000@127.0.0.1:{local_port};transport=udp;ob` ({contact} bytes), Call-ID 33 bytes.
- Stateful, Kamailio keeps a transaction for 5 s and Signpost, as RFC 3261 has it for UDP, for 32 s.
"""


def mark(met):
    return {True: "yes", False: "**no**", None: ""}[met]


def cells(row):
    return (row.what, row.target, row.figure, mark(row.met).strip("*"), row.signpost, row.kamailio,
            row.echo)


def table(rows):
    """For the terminal."""
    lines = [COLUMNS, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
            for line in lines]
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join([*text, "", summary(rows), stretch(rows)])


def summary(rows):
    judged = [row for row in rows if row.met is not None]
    unknown = sum(row.figure == targets.NOT_MEASURED for row in rows)
    text = f"{sum(row.met for row in judged)} of {len(judged)} targets met"
    return text + (f", {unknown} rows not measured." if unknown else ".")


def stretch(rows):
    """How far it is to ten times Kamailio."""
    found = [row for row in rows if row.stretch is not None]
    far = [row for row in found if row.stretch < targets.STRETCH]
    text = f"{targets.STRETCH} x Kamailio in {len(found) - len(far)} of {len(found)} rows"
    if far:
        worst = min(far, key=lambda row: row.stretch)
        text += f"; furthest from it: {worst.what}, {worst.stretch:.1f} x"
    return text + "."


def markdown_table(rows):
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        both = list(cells(row))
        both[3] = mark(row.met)
        lines.append(f"| {' | '.join(both)} |")
    return "\n".join(lines)


def pictures(names, folder=""):
    return "\n\n".join(f"![{ALT[name]}]({folder}{name})" for name in names)


# --- the report --------------------------------------------------------------------------------


def made(data):
    """[(phase, how it was made)] in the order of the data."""
    return [(name, figures["made"]) for name, figures in data.items() if "made" in figures]


def machine_text(data):
    phases = made(data)
    if not phases:
        return ""
    _, here = phases[-1]
    virtual = ", a virtual machine" if here["hypervisor"] else ""
    lines = [
        f"{here['cpu']}, {here['cores']} cores, {here['memory_gb']} GB{virtual}; "
        f"{here['system']}, Linux {here['kernel']}, {here['compiler']}, "
        f"Kamailio {here['kamailio']}, net.core.rmem_max {here['rmem_max']}.", "",
        "| phase | date | commit | rounds | took |", "|---|---|---|---|---|"]
    for name, how in phases:
        quick = ", --quick" if how["quick"] else ""
        lines.append(f"| {name} | {how['date']} | {how['commit']} | {how['rounds']}{quick} | "
                     f"{how['seconds']} s |")
    return "\n".join(lines)


def disturbance_text(data):
    lines = [f"- phase {phase}, round {number}: {why}"
             for phase, number, why in targets.disturbed(data)]
    lines += [f"- phase {name}: {text}" for name, how in made(data) for text in how["complaints"]]
    if not lines:
        return "Nothing: no time stolen, nobody else on the two cores, and the echo took about " \
               "the same in every round."
    return "\n".join(lines)


def kernel_share_text(data):
    """How much of the cost is the kernel's."""
    lines = ["| CPU per request, µs | user | system |", "|---|---|---|"]
    for phase, scenario, what in (("cost", "refresh", "REGISTER, refresh"),
                                  ("new", "register", "REGISTER, new"),
                                  ("cost", "invite", "INVITE"), ("cost", "options", "OPTIONS"),
                                  ("stateful", "invite", "INVITE, stateful")):
        for name in ("signpost", "kamailio", "echo"):
            user, system = (targets.spread(data, phase, name, scenario, part)
                            for part in ("user_us", "system_us"))
            if user:
                lines.append(f"| {what}: {plots.NAMES[name]} | {user.median:.2f} | "
                             f"{system.median:.2f} |")
    return "\n".join(lines)


def children_text(data):
    found = data.get("children")
    if not found:
        return "and one child"
    costs = ", ".join(f"{targets.Spread(values).median:.1f} µs with {n}"
                      for n, values in found["us"].items())
    best = found["best"]
    return f"and `children={best}`, the best on one core ({costs})"


def sections(data, rows, names):
    method = METHOD.format(server=1, window=256, children=children_text(data), local_port=23000,
                           contact=len("sip:u0000000@127.0.0.1:23000;transport=udp;ob"))
    quick = any(how["quick"] for _, how in made(data))
    warning = "**Made with `--quick`: good for a first look only.**\n\n" if quick else ""
    return (f"# Signpost beside Kamailio and a UDP echo\n\n"
            f"Written by `bench/compare`, which measures all of it anew.\n\n{warning}"
            f"## What must be reached\n\n{markdown_table(rows)}\n\n{summary(rows)} {stretch(rows)}"
            f"\n\n{pictures(names)}\n\n"
            f"## How it was measured\n\n{method}\n"
            f"## Where the time goes\n\n{kernel_share_text(data)}\n\n"
            f"## The machine\n\n{machine_text(data)}\n\n"
            f"## What disturbed it\n\n{disturbance_text(data)}\n")


def write_readme(root, folder, rows, names):
    """Puts the figures between the README's two marks, if it has them."""
    path = os.path.join(root, "README.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, begin, rest = text.partition(README_BEGIN)
    _, end, after = rest.partition(README_END)
    if not begin or not end:
        return
    shown = [row for row in rows if row.stretch is not None and row.met is not None]
    lines = [f"| one core | {' | '.join(COLUMNS[4:])} | against Kamailio |",
             "|---|---|---|---|---|"]
    lines += [f"| {row.what} | {row.signpost} | {row.kamailio} | {row.echo} | {row.figure} |"
              for row in shown]
    where = os.path.relpath(folder, root) + "/"
    body = "\n".join(lines) + "\n\n" + pictures([n for n in README_PLOTS if n in names], where)
    body += f"\n\n[{where}compare.md]({where}compare.md) has the rest: overload, memory, method.\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + begin + body + end + after)


def write(root, folder, data, rows):
    names = plots.draw_all(data, folder)
    with open(os.path.join(folder, "compare.md"), "w", encoding="utf-8") as file:
        file.write(sections(data, rows, names))
    if os.path.realpath(folder) == os.path.join(os.path.realpath(root), "bench", "results"):
        write_readme(root, folder, rows, names)
