# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG, drawn by gnuplot from inline data."""

import math
import os
import statistics
import subprocess

import targets

NAMES = {"echo": "UDP echo", "kamailio": "Kamailio 5.6", "signpost": "Signpost"}
COLOURS = {"echo": "#afb8c1", "kamailio": "#d9822b", "signpost": "#1f6feb"}

HEAD = """
set terminal svg size {width},{height} dynamic font "DejaVu Sans,14" background "#ffffff" \
    linewidth 1
set output "{path}"
set encoding utf8
set label "{title}" at screen 0.5, 0.95 center font "DejaVu Sans,16" textcolor rgb "#24292f"
set key at screen 0.5, 0.90 center top horizontal Left reverse samplen 2.5 width 1 \
    textcolor rgb "#24292f"
set tmargin 5.5
set border 3 linecolor rgb "#8c959f"
set tics nomirror textcolor rgb "#57606a"
set grid ytics linetype 1 linecolor rgb "#e4e8ec" linewidth 1
set xlabel textcolor rgb "#24292f"
set ylabel textcolor rgb "#24292f"
"""


YTICS = ('"1 µs" 1, "10 µs" 10, "100 µs" 100, "1 ms" 1e3, "10 ms" 1e4, "100 ms" 1e5, "1 s" 1e6, '
         '"10 s" 1e7')


def draw(path, title, body, width=860, height=460):
    script = HEAD.format(path=path, title=title, width=width, height=height) + body
    subprocess.run(["gnuplot"], input=script, check=True, text=True, stdout=subprocess.DEVNULL)


def block(name, lines):
    return "\n".join([f"${name} << END", *lines, "END", ""])


def line_styles():
    """1: echo, broader because it lies below the others; 2: Kamailio; 3: Signpost."""
    return "".join(f'set style line {n} linecolor rgb "{COLOURS[name]}" pointtype 7 '
                   f"linewidth {5 if name == 'echo' else 2.4} "
                   f"pointsize {0.8 if name == 'echo' else 0.55}\n"
                   for n, name in enumerate(NAMES, 1))


# --- bars --------------------------------------------------------------------------------------


def bars(path, title, ylabel, groups, form="%.1f", extra=""):
    """groups: [(label, {name: value})]. A bar for each name, with its value above it, or within it
    where there is but one group of broad ones."""
    names = [name for name in NAMES if any(name in values for _, values in groups)]
    width = (0.82 if len(groups) > 1 else 0.5) / len(names)
    place = 'offset 0,0.6 textcolor rgb "#24292f"'
    if len(groups) == 1:
        place = 'offset 0,-0.8 textcolor rgb "#ffffff"'
    lines = 1 + max(label.count("\\n") for label, _ in groups)
    body = line_styles() + extra
    plots = []
    for at, name in enumerate(names):
        shift = (at - (len(names) - 1) / 2) * width
        body += block(name, [f"{n + shift:.3f} {values[name]}"
                             for n, (_, values) in enumerate(groups) if name in values])
        colour = COLOURS[name]
        plots.append(f'${name} using 1:2:({width * 0.92:.3f}) with boxes fillstyle solid 1 noborder'
                     f' linecolor rgb "{colour}" title "{NAMES[name]}"')
        plots.append(f'${name} using 1:2:(sprintf("{form}", $2)) with labels {place} '
                     f'font "DejaVu Sans,12" notitle')
    highest = max(value for _, values in groups for value in values.values())
    tics = ", ".join(f'"{label}" {n}' for n, (label, _) in enumerate(groups))
    body += (f"set xrange [-0.65:{len(groups) - 0.35}]\nset yrange [0:{1.18 * highest:g}]\n"
             f"set xtics ({tics}) scale 0\n"
             f'set ylabel "{ylabel}"\n'
             f"set bmargin {2 + lines}\n"
             "plot " + ", \\\n    ".join(plots) + "\n")
    draw(path, title, body)


def median_us(data, phase, name, scenario):
    found = targets.spread(data, phase, name, scenario, "us")
    return round(found.median, 2) if found else None


def cpu(data, folder):
    rows = [("cost", "refresh", "REGISTER,\\nrefresh"), ("new", "register", "REGISTER,\\nnew"),
            ("cost", "invite", "INVITE\\nto 302"), ("cost", "options", "OPTIONS"),
            ("stateful", "refresh", "REGISTER,\\nstateful"),
            ("stateful", "invite", "INVITE + ACK,\\nstateful")]
    groups = []
    for phase, scenario, label in rows:
        values = {name: median_us(data, phase, name, scenario) for name in NAMES}
        values = {name: value for name, value in values.items() if value is not None}
        if values:
            groups.append((label, values))
    if not groups:
        return None
    path = os.path.join(folder, "cpu.svg")
    bars(path, "CPU per request: what the server's core spends", "µs", groups)
    return path


def rate(data, folder):
    found = data.get("saturation")
    if not found:
        return None
    groups = [(label, {name: round(statistics.median(found["rounds"][name][scenario]) / 1000, 1)
                       for name in NAMES})
              for scenario, label in (("refresh", "REGISTER, refresh"), ("invite", "INVITE to 302"),
                                      ("options", "OPTIONS"))]
    path = os.path.join(folder, "rate.svg")
    bars(path, "Saturation: the highest rate without loss, on one core", "thousand requests/s",
         groups, form="%.0f")
    return path


def memory(data, folder):
    groups = []
    values = {name: targets.spread(data, "new", name, "bytes") for name in ("kamailio", "signpost")}
    if not all(values.values()):
        return None
    groups = [(f"{targets.many(data['new']['users'])} bindings",
               {name: round(found.median) for name, found in values.items()})]
    path = os.path.join(folder, "memory.svg")
    limit = ('set arrow from graph 0, first 400 to graph 1, first 400 nohead dashtype 2 '
             'linecolor rgb "#57606a"\n'
             'set label "limit: 400 B" at graph 0.99, first 400 right offset 0,0.7 '
             'font "DejaVu Sans,12" textcolor rgb "#57606a"\n')
    bars(path, "Memory per binding", "resident bytes", groups, form="%.0f B", extra=limit)
    return path


# --- curves ------------------------------------------------------------------------------------


def latency(data, folder):
    found = data.get("curve")
    if not found:
        return None
    body = line_styles()
    plots = []
    for n, name in enumerate(NAMES, 1):
        body += block(name, [f"{p['rate'] / 1000} {max(p['p50'], 1)} {max(p['p99'], 1)}"
                             for p in found["points"][name]])
        plots += [f'${name} using 1:3 with linespoints linestyle {n} title "{NAMES[name]}: p99"',
                  f"${name} using 1:2 with lines linestyle {n} dashtype 3 linewidth 1.6 "
                  'title "p50"']
    highest = max(max(p["p99"], 2) for points in found["points"].values() for p in points)
    lowest = min(max(p["p50"], 1) for points in found["points"].values() for p in points)
    rates = [p["rate"] / 1000 for points in found["points"].values() for p in points]
    slowest, fastest = min(rates), max(rates)
    low, high = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
    body += ('set logscale x\nset logscale y\n'
             'set xtics (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)\n'
             'set xlabel "refreshing REGISTERs offered, thousand/s (10 % to 100 % of each '
             'server\'s saturation)"\n'
             f'set ylabel "latency"\nset yrange [1e{low}:1e{high}]\nset ytics ({YTICS})\n'
             f"set xrange [{0.8 * slowest}:{1.25 * fastest}]\nset key vertical maxrows 2\n"
             "plot " + ", \\\n    ".join(plots) + "\n")
    path = os.path.join(folder, "latency.svg")
    draw(path, "Latency over load, open loop", body)
    return path


def overload(data, folder):
    found = data.get("overload")
    if not found:
        return None
    body = line_styles()
    plots = []
    for n, name in enumerate(NAMES, 1):
        curve = found["curves"][name]
        body += block(name, [f"{p['offered'] / curve['capacity']:.3f} "
                             f"{100 * p['goodput'] / curve['capacity']:.1f}"
                             for p in sorted(curve["points"], key=lambda p: p["offered"])])
        plots.append(f"${name} using 1:2 with linespoints linestyle {n} "
                     f'title "{NAMES[name]}: {curve["capacity"] / 1000:.0f} k/s"')
    body += ('set xlabel "refreshing REGISTERs offered, in multiples of the highest rate without '
             'loss"\n'
             'set ylabel "answered, % of that rate"\nset yrange [0:135]\nset xrange [0.4:3.1]\n'
             'set arrow from 0.4, 90 to 3.1, 90 nohead dashtype 2 linecolor rgb "#57606a"\n'
             'set label "limit: 90 %" at 3.08, 86 right font "DejaVu Sans,12" '
             'textcolor rgb "#57606a"\n'
             "plot " + ", \\\n    ".join(plots) + "\n")
    path = os.path.join(folder, "overload.svg")
    draw(path, "Overload: what still is answered (100 % is the rate beside the name)", body)
    return path


def population_points(data, name, scenario):
    """[(bindings, µs)], with Kamailio's million from the phase that has it."""
    found = data.get("population", {}).get("rounds", {}).get(name, {})
    points = {int(n): statistics.median(one[scenario]["us"] for one in ones)
              for n, ones in found.items() if ones}
    other = targets.spread(data, "new", name, scenario, "us")
    if other:
        points.setdefault(data["new"]["users"], other.median)
    return sorted(points.items())


def population(data, folder):
    if "population" not in data:
        return None
    body = line_styles()
    plots = []
    for n, name in enumerate(NAMES, 1):
        for scenario, what, dash in (("refresh", "refresh", 1), ("invite", "look-up (INVITE)", 3)):
            points = population_points(data, name, scenario) if name != "echo" else []
            if points:
                body += block(f"{name}_{scenario}", [f"{x} {y:.2f}" for x, y in points])
                plots.append(f"${name}_{scenario} using 1:2 with linespoints linestyle {n} "
                             f'dashtype {dash} title "{NAMES[name]}: {what}"')
    body += ('set logscale x\nset xtics ("10 k" 1e4, "100 k" 1e5, "1 M" 1e6, "10 M" 1e7)\n'
             'set xlabel "bindings in the table"\nset ylabel "CPU per request, µs"\n'
             "set yrange [0:*]\nset offsets graph 0.02, graph 0.02, graph 0.1, 0\n"
             "set key vertical maxrows 2\n"
             "plot " + ", \\\n    ".join(plots) + "\n")
    path = os.path.join(folder, "population.svg")
    draw(path, "Cost over the number of bindings", body)
    return path


def draw_all(data, folder):
    """Draws what there is data for. Returns the file names, in the report's order."""
    paths = [plot(data, folder)
             for plot in (cpu, rate, latency, overload, memory, population)]
    return [os.path.basename(path) for path in paths if path]
