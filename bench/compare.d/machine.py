# SPDX-License-Identifier: Apache-2.0
"""The machine under the measurement: what it is, what a process has used of it, and whether
somebody else was using it too."""

import contextlib
import os
import platform
import re
import subprocess
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
BUFFER_BYTES = 8 << 20
BUFFER_LIMITS = ("/proc/sys/net/core/rmem_max", "/proc/sys/net/core/wmem_max")

# Shares of a core's time above which a measurement counts as disturbed.
STEAL_SHARE_MAX = 0.03
FOREIGN_SHARE_MAX = 0.10


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def first(pattern, text, otherwise="unknown"):
    match = re.search(pattern, text, re.MULTILINE)
    return match[1].strip() if match else otherwise


def output(*command):
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def describe(root):
    """What a reader must know to judge the figures."""
    release = read("/etc/os-release")
    changed = output("git", "-C", root, "status", "--porcelain", "--", "src", "include", "bench")
    commit = output("git", "-C", root, "rev-parse", "--short=10", "HEAD") or "unknown"
    return {
        "cpu": first(r"^model name\s*: (.*)$", read("/proc/cpuinfo")),
        "cores": os.cpu_count(),
        "memory_gb": round(int(first(r"^MemTotal:\s*(\d+)", read("/proc/meminfo"), "0")) / 1e6),
        "hypervisor": " hypervisor" in read("/proc/cpuinfo"),
        "kernel": platform.release(),
        "system": first(r'^PRETTY_NAME="(.*)"$', release),
        "kamailio": output("dpkg-query", "-W", "-f", "${Version}", "kamailio"),
        "compiler": output("gcc", "--version").split("\n", maxsplit=1)[0],
        "commit": commit + (" with changes" if changed else ""),
        "date": time.strftime("%Y-%m-%d"),
    }


def memory_available_bytes():
    return int(first(r"^MemAvailable:\s*(\d+)", read("/proc/meminfo"), "0")) * 1024


@contextlib.contextmanager
def large_buffers(say):
    """Lets every server have the receive buffer it asks for, as its operator would; the limits are
    put back afterwards. Without the privilege they stay as they are, and the report tells them."""
    before = {}
    for path in BUFFER_LIMITS:
        value = int(read(path) or 0)
        if value < BUFFER_BYTES:
            with contextlib.suppress(OSError):
                with open(path, "w", encoding="ascii") as file:
                    file.write(str(BUFFER_BYTES))
                before[path] = value
    if before:
        say(f"net.core.rmem_max and wmem_max are {BUFFER_BYTES >> 20} MB until the end")
    try:
        yield int(read(BUFFER_LIMITS[0]) or 0)
    finally:
        for path, value in before.items():
            with open(path, "w", encoding="ascii") as file:
                file.write(str(value))


def session(leader):
    """Every process of the session that `leader` leads, itself included."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = read(f"/proc/{name}/stat").rpartition(") ")[2].split()
            if len(fields) > 3 and int(fields[3]) == leader:
                found.append(int(name))
    return found


def cpu_s(pids):
    """(user, system) seconds that these processes have used, all their threads included."""
    user = system = 0
    for pid in pids:
        fields = read(f"/proc/{pid}/stat").rpartition(") ")[2].split()
        if fields:
            user += int(fields[11])
            system += int(fields[12])
    return user / TICKS_PER_S, system / TICKS_PER_S


def resident_bytes(pids):
    """Memory they hold; what several of them share counts once (Pss)."""
    return 1024 * sum(int(first(r"^Pss:\s*(\d+)", read(f"/proc/{pid}/smaps_rollup"), "0"))
                      for pid in pids)


def core_ticks(core):
    """(busy, stolen) ticks of a core so far."""
    fields = [int(n) for n in first(rf"^cpu{core} (.*)$", read("/proc/stat"), "0").split()]
    fields += [0] * (8 - len(fields))
    user, nice, system, _, _, irq, softirq, steal = fields[:8]
    return user + nice + system + irq + softirq, steal


class Watch:
    """Looks for strangers on the cores while something is measured."""

    def __init__(self, *cores):
        self.cores = cores
        self.start_s = time.monotonic()
        self.before = [core_ticks(core) for core in cores]

    def disturbance(self, own_s):
        """What took the cores away from our processes, which used `own_s` of them: text or None."""
        elapsed_s = time.monotonic() - self.start_s
        busy = steal = 0
        for core, (busy_before, steal_before) in zip(self.cores, self.before):
            busy_now, steal_now = core_ticks(core)
            busy += (busy_now - busy_before) / TICKS_PER_S
            steal += (steal_now - steal_before) / TICKS_PER_S
        if elapsed_s < 0.2:
            return None  # too short for the clock of /proc
        if steal > STEAL_SHARE_MAX * elapsed_s:
            return f"{100 * steal / elapsed_s:.0f} % of a core stolen by the hypervisor"
        if busy - own_s > FOREIGN_SHARE_MAX * elapsed_s:
            return f"other processes used {100 * (busy - own_s) / elapsed_s:.0f} % of a core"
        return None
