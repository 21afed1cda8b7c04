# SPDX-License-Identifier: Apache-2.0
"""Load from sipflood, pinned to the generator's core, and its report as a dictionary."""

import contextlib
import json
import subprocess
import time

import machine

WINDOW = 256
LATENCY_US_MAX = 50000  # a server that queues longer is beyond its capacity
LOSS_PERCENT_MAX = 0.1
TIMEOUT_S = 0.25  # of probes: longer than for any answer that still counts
GENERATOR_LATE_S = 0.3


def options(bench, server, scenario, **how):
    """The command line; how: users, count, duration, rate, window, timeout, domain, expires,
    local_port, ports, busy, gso, gro, scatter, ack."""
    command = ["taskset", "-c", str(bench.generator_core), bench.program("sipflood"), scenario,
               "--target", server.target, "--json", "--loss-max", "100", "--show", "1",
               "--local-port", str(how.pop("local_port", bench.local_port))]
    if not how.pop("ack", False):
        command.append("--no-ack")
    if not server.checks:
        command.append("--echo")
    for flag in ("busy", "gso", "gro", "scatter"):
        if how.pop(flag, False):
            command.append(f"--{flag}")
    for name, value in how.items():
        if value is not None:
            command += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    return command


def start(bench, server, scenario, **how):
    return subprocess.Popen(options(bench, server, scenario, **how), start_new_session=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def finish(bench, process):
    """The report of one that was started. Wrong answers are told, never hidden."""
    try:
        text, error = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode not in (0, 1) or not text:
        raise RuntimeError(f"sipflood failed: {error.strip()}")
    report = json.loads(text)
    counts = report["counts"]
    wrong = counts["wrong_status"] + counts["wrong_content"] + counts["malformed"]
    if wrong > 0:
        what = report["wrong"][0]["what"] if report["wrong"] else "?"
        bench.complain(f"{report['parameters']['scenario']}: {wrong} wrong answers ({what})")
    return report


def run(bench, server, scenario, **how):
    return finish(bench, start(bench, server, scenario, **how))


def fill(bench, server, users, **how):
    """Registers everybody, if it is a registrar. Whoever is lost is asked again."""
    if not server.checks:
        return
    for _ in range(5):
        report = run(bench, server, "register", users=users, window=WINDOW, timeout=1, **how)
        if report["counts"]["lost"] == 0:
            return
    bench.complain(f"{server.name} does not register {users} users without loss")


@contextlib.contextmanager
def watched(bench, server):
    """Looks whether the server has its core for itself in the block."""
    watch = machine.Watch(bench.server_core)
    before = sum(server.cpu_s())
    yield
    why = watch.disturbance(sum(server.cpu_s()) - before)
    if why:
        bench.disturbed(server, why)


def cost(bench, server, scenario, **how):
    """CPU per answered request in a closed loop, and what came with it."""
    watch = machine.Watch(bench.server_core, bench.generator_core)
    user, system = server.cpu_s()
    report = run(bench, server, scenario, window=WINDOW, timeout=1, **how)
    user, system = (after - before for after, before in zip(server.cpu_s(), (user, system)))
    counts = report["counts"]
    answered = max(counts["right"] + counts["wrong_status"] + counts["wrong_content"], 1)
    generator_s = report["cpu_us_per_request"] * counts["sent"] / 1e6
    why = watch.disturbance(user + system + generator_s)
    if why:
        bench.disturbed(server, why)
    return {
        "us": round((user + system) / answered * 1e6, 3),
        "user_us": round(user / answered * 1e6, 3),
        "system_us": round(system / answered * 1e6, 3),
        "per_s": round(report["answers_per_s"]),
        "lost": counts["lost"],
    }


def holds(report, rate, duration):
    """Whether the rate was really offered, and answered in time without loss."""
    return (report["loss_percent"] < LOSS_PERCENT_MAX and
            report["latency_us"]["p99"] < LATENCY_US_MAX and
            report["counts"]["sent"] >= 0.98 * rate * duration and
            report["elapsed_s"] < duration + GENERATOR_LATE_S)


def probe(bench, server, scenario, users, rate, duration):
    for _ in range(2):  # once more, for a stumble that was not the server's
        report = run(bench, server, scenario, users=users, rate=int(rate), duration=duration,
                     timeout=TIMEOUT_S, busy=True)
        if holds(report, rate, duration):
            return True
    return False


def find_max(bench, server, scenario, users, duration):
    """The highest rate in open loop that holds: a bisection around what the closed loop does."""
    closed = run(bench, server, scenario, users=users, window=WINDOW, timeout=1,
                 duration=duration)["answers_per_s"]
    low, high = 0.5 * closed, 1.25 * closed
    while not probe(bench, server, scenario, users, low, duration) and low > 1000:
        low, high = low / 2, low
    while high - low > bench.precision * low:
        middle = (low + high) / 2
        if probe(bench, server, scenario, users, middle, duration):
            low = middle
        else:
            high = middle
    return round(low)


def latency(bench, server, scenario, users, rate, duration, busy=True):
    """Open loop at a rate, by a generator that never sleeps unless it is not to be busy: what the
    percentiles are."""
    with watched(bench, server):
        report = run(bench, server, scenario, users=users, rate=max(int(rate), 1),
                     duration=duration, timeout=1, busy=busy)
    return {"rate": int(rate), "loss_percent": report["loss_percent"],
            "p50": report["latency_us"]["p50"], "p99": report["latency_us"]["p99"],
            "p999": report["latency_us"]["p99.9"], "max": report["latency_us"]["max"]}


def pause_until(moment_s):
    """Sleeps to a moment of the wall clock."""
    time.sleep(max(0.0, moment_s - time.time()))
