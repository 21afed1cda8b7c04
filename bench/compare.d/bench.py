# SPDX-License-Identifier: Apache-2.0
"""What every phase is given: how much to measure, where, and what earlier phases have found."""

import os
import statistics
import sys

import flood
from servers import ALL, Kamailio


class Bench:
    def __init__(self, root, options, data):
        self.root = root
        self.data = data  # by phase
        self.round = 0
        self.complaints = []    # of the phase that runs
        self.disturbances = []  # likewise: (round, server, why)
        self.quick = options.quick
        self.full = options.full
        self.rounds_count = options.rounds or (1 if self.quick else 5)
        self.port = options.port
        self.local_port = options.local_port
        self.server_core = options.server_core
        self.generator_core = options.generator_core
        self.users = 20_000 if self.quick else 100_000
        self.many = 100_000 if self.quick else 1_000_000
        self.most = 10_000_000 if self.full else self.many
        self.run_s = 0.5 if self.quick else 2.0    # of a measurement of latency or goodput
        self.probe_s = 0.3 if self.quick else 0.6  # of a rate, in the search for the highest
        self.precision = 0.06 if self.quick else 0.03
        self.overload_s = 3 if self.quick else 30
        self.overload_rounds = min(self.rounds_count, 3) if not self.full else self.rounds_count

    def say(self, text):
        print(f"bench/compare: {text}", file=sys.stderr, flush=True)

    def complain(self, text):
        """Something is not as it should be: said now, and in the report."""
        self.say(text)
        if text not in self.complaints:
            self.complaints.append(text)

    def disturbed(self, server, why):
        """Somebody else used the cores; told once for a server in a round."""
        if [self.round, server.name] not in [one[:2] for one in self.disturbances]:
            self.say(f"disturbed ({server.name}): {why}")
            self.disturbances.append([self.round, server.name, why])

    def begin_phase(self):
        self.round = 0
        self.complaints = []
        self.disturbances = []

    def rounds(self, what, count=None):
        count = count or self.rounds_count
        for self.round in range(1, count + 1):
            self.say(f"{what}: round {self.round} of {count}")
            yield self.round

    def program(self, name):
        folder = "src" if name == "signpostd" else "bench"
        return os.path.join(self.root, "build", "release", folder, name)

    def serve(self, kind, **how):
        """A server of this kind, for a `with`."""
        if kind is Kamailio:
            how.setdefault("children", self.data.get("children", {}).get("best", 1))
        return kind(self, **how)

    def capacity(self, name, scenario):
        """Requests/s at saturation: the median of the phase that found it, or a first guess."""
        found = self.data.get("saturation", {}).get("rounds", {}).get(name, {}).get(scenario)
        if found:
            return round(statistics.median(found))
        guesses = self.data.setdefault("guesses", {})
        if f"{name} {scenario}" not in guesses:
            self.say(f"no phase \"saturation\" yet: guessing that of {name}")
            kind = next(kind for kind in ALL if kind.name == name)
            # On a port of its own: another server may be running.
            self.port += 2
            with self.serve(kind) as server:
                flood.fill(self, server, self.users)
                guesses[f"{name} {scenario}"] = round(0.9 * flood.run(
                    self, server, scenario, users=self.users, window=flood.WINDOW, timeout=1,
                    duration=self.run_s)["answers_per_s"])
            self.port -= 2
        return guesses[f"{name} {scenario}"]
