# SPDX-License-Identifier: Apache-2.0
"""Measures Signpost beside Kamailio and a UDP echo. bench/compare installs, builds and calls it."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

import bulk
import cost
import durable
import machine
import overload
import rate
import report
import targets
from bench import Bench

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# In the order in which they are measured: later ones use what earlier ones have found.
PHASES = {
    "children": (cost.children, "how many children serve Kamailio best; all others use it"),
    "cost": (cost.cost, "CPU per refreshing REGISTER, INVITE and OPTIONS, stateless"),
    "runs": (cost.cost_in_runs, "the same in runs from one port, as an edge proxy sends"),
    "trains": (cost.cost_in_trains, "and in trains, which Signpost takes with udp-trains: on"),
    "stateful": (cost.cost_stateful, "the same with transactions, ACKs sent"),
    "new": (cost.new, "CPU per new REGISTER, memory per binding"),
    "population": (cost.population, "cost per refresh and look-up, 10 k bindings and more"),
    "saturation": (rate.saturation, "requests/s without loss, open loop"),
    "half": (rate.half, "p99 at half of saturation"),
    "curve": (rate.curve, "latency over load"),
    "overload": (overload.overload, "three times the capacity, recovery, goodput over load"),
    "expiry": (bulk.expiry, "a million bindings expire in the same second"),
    "dump": (bulk.dump, "a million bindings are told over HTTP"),
    "kept": (durable.modes, "CPU per REGISTER, in memory, durability async and sync"),
    "keptrate": (durable.throughput, "200 after fdatasync, beside Kamailio's in memory"),
    "kepthalf": (durable.half, "p99 at half of saturation, in memory and durability async"),
    "restart": (durable.restart, "how soon a killed server serves again"),
}


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench/compare", allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures Signpost beside Kamailio and a UDP echo on this machine, one core\n"
                    "for the server and one for the generator, and prints the table of what must\n"
                    "be reached. That takes about an hour. Report, plots and raw data go to a\n"
                    "folder.",
        epilog="phases:\n" + "\n".join(f"  {name:<12}{text}" for name, (_, text) in PHASES.items()))
    parser.add_argument("--quick", action="store_true",
                        help="some 4 minutes: one round, small and short; to build/compare")
    parser.add_argument("--full", action="store_true", help="with 10 million bindings; hours")
    parser.add_argument("--rounds", type=int, metavar="N", help="of each phase; default 5")
    parser.add_argument("--only", metavar="PHASE[,PHASE]",
                        help="these phases; the figures of the others stay as they are")
    parser.add_argument("--report", action="store_true",
                        help="measure nothing: report and plots from the data that is there")
    # bench/compare asks so first, before it installs and builds.
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--out", metavar="FOLDER", help="default: bench/results")
    parser.add_argument("--port", type=int, default=15960,
                        help="the servers' UDP port and the next few; default 15960")
    parser.add_argument("--local-port", type=int, default=23000,
                        help="the generator's first of 200; default 23000")
    parser.add_argument("--server-core", type=int, default=1, metavar="N", help="default 1")
    parser.add_argument("--generator-core", type=int, default=0, metavar="N", help="default 0")
    options = parser.parse_args(arguments)
    options.phases = options.only.split(",") if options.only else list(PHASES)
    for name in options.phases:
        if name not in PHASES:
            parser.error(f"--only {name}: there is no such phase (see --help)")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least 1")
    if not options.report and not {options.server_core, options.generator_core} <= \
            os.sched_getaffinity(0):
        parser.error("--server-core and --generator-core must name cores of this machine")
    options.out = options.out or os.path.join(ROOT, *(("build", "compare") if options.quick
                                                      else ("bench", "results")))
    return options


def load(path):
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, data):
    """Whole or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(json.dumps(data, separators=(",", ":")).replace('],"', '],\n"') + "\n")
    os.replace(path + ".new", path)


def measure(options, data, path):
    here = machine.describe(ROOT)
    bench = Bench(ROOT, options, data)
    failed = []
    with machine.large_buffers(bench.say) as buffer_bytes:
        for name in options.phases:
            bench.begin_phase()
            start_s = time.monotonic()
            try:
                figures = PHASES[name][0](bench)
            # The others may still tell something.
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                bench.say(f"phase {name}: {error}")
                failed.append(name)
                continue
            figures["made"] = {**here, "rounds": bench.rounds_count, "quick": bench.quick,
                               "rmem_max": buffer_bytes, "complaints": bench.complaints,
                               "disturbed": bench.disturbances,
                               "seconds": round(time.monotonic() - start_s)}
            data[name] = figures
            data.pop("guesses", None)
            save(path, data)
    return failed


def stop(number, _):
    """A signal ends the run through the `with` blocks, which stop what was started."""
    raise SystemExit(128 + number)


def main(arguments):
    options = parse(arguments)
    if options.check:
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    os.makedirs(options.out, exist_ok=True)
    path = os.path.join(options.out, "compare.json")
    data = load(path)
    failed = [] if options.report else measure(options, data, path)
    rows = targets.rows(data)
    report.write(ROOT, options.out, data, rows)
    print(report.table(rows))
    if failed:
        print(f"bench/compare: measure again: --only {','.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"bench/compare: {error}", file=sys.stderr)
        sys.exit(1)
