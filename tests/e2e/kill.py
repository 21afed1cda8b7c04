#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 under a full load of REGISTERs, again and again, and what is there after each restart.

    SIGNPOSTD=build/release/src/signpostd REGISTRANT=build/release/tests/e2e/registrant \\
        POWER=build/release/tests/e2e/libpower.so tests/e2e/kill.py --rounds 100

The client (registrant.c) writes down what each user asked for and was told. All requests of a user
are put behind each other here, which gives every state that his bindings ever had; what the server
has after its restart must be one of them: with durability sync the latest that was acknowledged or
the one that was under way, with async any that is no older than the loss allowed.
"""

import argparse
import glob
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from stores import Power
from support import PATIENCE_S, Server, executable, free_port

CONTACTS = 5
WINDOW = 256
US_PER_MS = 1000
# Metrics of the store that show which way the rounds went.
SHOWN = ("commits", "coalesced", "rewrites", "overflows", "failures")


class Registrant:
    """The client, which goes and stops as it is told."""

    def __init__(self, target, users, journal):
        self.journal = journal
        seed = random.getrandbits(63) | 1
        command = [executable("REGISTRANT"), target[0], target[1], users, min(WINDOW, users - 1),
                   seed, journal]
        self._popen = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)

    def go(self):
        self._popen.stdin.write("go\n")
        self._popen.stdin.flush()

    def stop(self):
        """[(user, CSeq, put, drop, status, µs)], of each user in their order."""
        self._popen.stdin.write("stop\n")
        self._popen.stdin.flush()
        line = self._popen.stdout.readline()
        assert line == "stopped\n", f"registrant says {line!r}"
        with open(self.journal, encoding="ascii") as rows:
            return [tuple(map(int, row.split())) for row in rows]

    def close(self):
        self._popen.stdin.close()
        self._popen.stdout.close()
        self._popen.wait(PATIENCE_S)


def apply(state, request):
    """What {contact: CSeq} becomes by a request."""
    _, cseq, put, drop = request[:4]
    if not put and not drop:
        return {}
    after = {c: kept for c, kept in state.items() if not drop >> c & 1}
    after.update({c: cseq for c in range(CONTACTS) if put >> c & 1})
    return after


def bindings(server):
    """{user: {contact: CSeq}} that the server has."""
    status, body = server.get("/bindings")
    assert status == 200, f"/bindings answers {status}"
    found = {}
    for line in body.splitlines():
        row = json.loads(line)
        user = int(row["aor"].partition("@")[0].removeprefix("u"))
        contact = int(row["contact"].partition("@")[0].removeprefix("sip:"))
        found.setdefault(user, {})[contact] = row["cseq"]
    return found


class Verdict:
    """What one restart has shown."""

    def __init__(self):
        self.acknowledged = 0  # requests
        self.lost = []  # of users that went back, the first acknowledged request that is gone
        self.bindings_lost = 0  # acknowledged, and not there
        self.resurrected = 0  # acknowledged to be removed, and there
        self.impossible = []  # users with bindings they never had: (user, found, states)
        self.refused = []  # requests that were not answered 200

    def window_us(self, killed_us):
        """How long before the kill the first of what is lost had been acknowledged."""
        return max((killed_us - request[5] for request in self.lost), default=0)


def judge_user(verdict, base, requests, found):
    states = [base]
    for request in requests:
        states.append(apply(states[-1], request))
    acknowledged = len([request for request in requests if request[4]])
    verdict.acknowledged += acknowledged
    verdict.refused += [request for request in requests if request[4] not in (0, 200)]
    at = next((i for i in reversed(range(len(states))) if states[i] == found), None)
    if at is None:
        verdict.impossible.append((requests[0][0] if requests else None, found, states))
    elif at < acknowledged:
        promised = states[acknowledged]
        verdict.lost.append(requests[at])
        verdict.bindings_lost += sum(found.get(c) != cseq for c, cseq in promised.items())
        verdict.resurrected += sum(c not in promised for c in found)


def judge(before, journal, after):
    """Compares what is there after a restart with what was there at first and asked for since."""
    verdict = Verdict()
    of_user = {}
    for request in journal:
        of_user.setdefault(request[0], []).append(request)
    for user in before.keys() | of_user.keys() | after.keys():
        judge_user(verdict, before.get(user, {}), of_user.get(user, []), after.get(user, {}))
    return verdict


class Killing:
    """A server with a directory, its client, and rounds of load, kill and restart; with a power
    cut, if that is asked for."""

    def __init__(self, durability, users, folder, power=False):
        self.durability = durability
        self.store = os.path.join(folder, "store")
        self.power = Power(folder) if power else None
        self.cut_bytes = 0
        self.listener = ("127.0.0.1", free_port())
        self.admin_port = free_port()
        self.arguments = ["--listen", f"udp:127.0.0.1:{self.listener[1]}",
                          "--admin", f"127.0.0.1:{self.admin_port}",
                          "--store", f"rocksdb:{self.store}",
                          "--durability", durability, "--drop-after-ms", "60000"]
        self.client = Registrant(self.listener, users, os.path.join(folder, "journal"))
        self.server = self._start()
        self.kept = {}
        self.metrics = {}  # of all servers, as of shortly before their end

    def _start(self):
        return Server(self.arguments, [self.listener], self.admin_port,
                      prefix=self.power.prefix if self.power else ())

    def _store_metrics(self):
        return {name: int(value) for name, value in self.server.metrics().items()
                if name.startswith("signpost_store_")}

    def _wait_commits(self, more):
        before = self._store_metrics()["signpost_store_commits_total"]
        deadline = time.monotonic() + PATIENCE_S
        while self._store_metrics()["signpost_store_commits_total"] < before + more:
            assert time.monotonic() < deadline, f"no {more} commits in {PATIENCE_S:.0f} s"
            time.sleep(0.005)

    def round(self, load_s):
        """(verdict, when it was killed, when everything of before was surely kept), times in µs;
        the latter only as long as all users fit one group (store/keeper.c)."""
        self.client.go()
        time.sleep(load_s)
        safe_us = time.time_ns() // 1000
        # A change is in a queue before its answer leaves. The next sync may have been begun
        # without it, and that after it brings all to disk that there is.
        self._wait_commits(2)
        time.sleep(random.uniform(0, 0.3) if load_s > 0 else 0)
        for name, value in self._store_metrics().items():
            self.metrics[name] = self.metrics.get(name, 0) + value
        killed_us = time.time_ns() // 1000
        self.server.kill()
        if self.power:
            self.cut_bytes += self.power.cut(self.store)
            for copy in glob.glob(f"{self.store}.damaged-*"):
                shutil.rmtree(copy)
        journal = self.client.stop()
        self.server = self._start()
        after = bindings(self.server)
        verdict = judge(self.kept, journal, after)
        self.kept = after
        return verdict, killed_us, safe_us

    def close(self):
        self.client.close()
        self.server.end()


# --------------------------------------------------------------------------------------- a program


def report(durability, verdicts, windows, metrics):
    lost = sum(verdict.bindings_lost for verdict in verdicts)
    print(f"{durability}: {len(verdicts)} rounds, "
          f"{sum(verdict.acknowledged for verdict in verdicts)} changes acknowledged")
    print(f"  bindings lost {lost}, resurrected "
          f"{sum(verdict.resurrected for verdict in verdicts)}, users that went back "
          f"{sum(len(verdict.lost) for verdict in verdicts)}, users with impossible bindings "
          f"{sum(len(verdict.impossible) for verdict in verdicts)}, not answered 200 "
          f"{sum(len(verdict.refused) for verdict in verdicts)}")
    if any(windows):
        ms = sorted(window / US_PER_MS for window in windows)
        print(f"  loss window: median {statistics.median(ms):.0f} ms, "
              f"90th percentile {ms[int(len(ms) * 0.9)]:.0f} ms, max {ms[-1]:.0f} ms")
    print("  store: " + ", ".join(f"{metrics.get(f'signpost_store_{name}_total', 0)} {name}"
                                  for name in SHOWN))


def good(durability, verdict):
    whole = not verdict.impossible and not verdict.refused
    return whole and (durability == "async" or not verdict.lost)


def run(durability, how):
    verdicts, windows = [], []
    with tempfile.TemporaryDirectory(prefix="signpost-kill-") as folder:
        killing = Killing(durability, how.users, folder, how.power)
        try:
            for number in range(how.rounds):
                verdict, killed_us, _ = killing.round(random.uniform(0.1, how.seconds))
                window = verdict.window_us(killed_us)
                verdicts.append(verdict)
                windows.append(window)
                print(f"  {durability} {number + 1}: {verdict.acknowledged} acknowledged, "
                      f"{len(verdict.lost)} users went back, {window / US_PER_MS:.0f} ms",
                      file=sys.stderr)
                if not good(durability, verdict):
                    print(verdict.impossible[:3], verdict.refused[:3], verdict.lost[:3])
        finally:
            killing.close()
        report(durability, verdicts, windows, killing.metrics)
        if how.power:
            print(f"  cut off: {killing.cut_bytes} bytes that had not been synced")
    return all(good(durability, verdict) for verdict in verdicts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--users", type=int, default=20000)
    parser.add_argument("--seconds", type=float, default=1.5, help="of load a round, at most")
    parser.add_argument("--durability", choices=("sync", "async"), action="append")
    parser.add_argument("--power", action="store_true",
                        help="the machine dies: what has not been synced is lost")
    how = parser.parse_args()
    results = [run(durability, how) for durability in how.durability or ("sync", "async")]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
