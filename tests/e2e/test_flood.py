# SPDX-License-Identifier: Apache-2.0
"""Many registrations, INVITEs and a mix of all, by sipflood: every single answer right, none lost.

20,000 users; with SIGNPOST_FULL=1 a million.
"""

import csv
import json
import os
import unittest

from support import EndToEnd, executable, free_ports

FULL = os.environ.get("SIGNPOST_FULL") == "1"
USERS = 1_000_000 if FULL else 20_000
SOURCE_PORTS = 16
WINDOW = 128  # fits any socket buffer, so that a slow machine is slow and loses nothing
LOST_AFTER_S = 60
TIMEOUT_S = 580


class Flood(EndToEnd):
    def setUp(self):
        self.server = self.start()
        # a user's Contact follows from its source port: the same ones in every run
        self.ports = free_ports(SOURCE_PORTS)

    def flood(self, scenario, *more):
        """sipflood's report on one request for each user."""
        report = self.load(scenario, "--window", WINDOW, *more)
        self.assertEqual(report["counts"]["sent"], USERS)
        return report

    def load(self, scenario, *more):
        """sipflood's report, in which nothing is wrong."""
        command = [executable("SIPFLOOD"), scenario, "--target", self.server.domain,
                   "--users", USERS, "--timeout", LOST_AFTER_S,
                   "--ports", SOURCE_PORTS, "--local-port", self.ports, "--json", *more]
        process = self.spawn(command)
        status = process.wait(TIMEOUT_S)
        self.assertEqual(status, 0, process.output)
        report = json.loads(process.lines[-1])
        counts = report["counts"]
        self.assertEqual(counts["sent"], counts["right"], counts)
        for fault in ("wrong_status", "wrong_content", "lost", "malformed", "unmatched"):
            self.assertEqual(counts[fault], 0, counts)
        print(f"{scenario}: {report['answers_per_s']:.0f}/s, p99 {report['latency_us']['p99']} us")
        return report

    def test_every_user_registers_and_is_found(self):
        self.flood("register")
        self.server.wait_metric("signpost_bindings", USERS)
        self.server.wait_metric("signpost_aors", USERS)
        acks = self.flood("invite")["counts"]["acks"]
        self.assertEqual(acks, USERS)
        self.server.wait_metric("signpost_acks_total", USERS)
        self.server.wait_metric('signpost_responses_total{code="302"}', USERS)
        self.flood("refresh", "--threads", 3)
        self.server.wait_metric("signpost_bindings", USERS)
        mixed = self.flood("mixed", "--threads", 2, "--mix", "refresh=5,invite=4,register=1")
        newcomers = mixed["kinds"]["register"]["sent"]
        self.server.wait_metric("signpost_bindings", USERS + newcomers)
        self.flood("deregister", "--threads", 2)
        self.server.wait_metric("signpost_bindings", newcomers)
        self.server.wait_metric("signpost_aors", newcomers)
        self.server.wait_metric("signpost_datagrams_lost_total", 0)

    def test_a_population_refreshes_and_calls(self):
        self.flood("register")
        # some 1,000 refreshes a second, whatever the number of users
        kinds = self.load("population", "--interval", USERS // 1000, "--expires", USERS,
                          "--duration", 2, "--calls", 100, "--threads", 2)["kinds"]
        self.assertEqual(kinds["invite"]["sent"], 200)
        self.assertGreater(kinds["refresh"]["sent"], 1000)
        self.server.wait_metric("signpost_bindings", USERS)

    def test_a_ramp_says_what_each_rate_and_each_second_did(self):
        figures = os.path.join(self.directory(), "figures.csv")
        steps = self.load("options", "--ramp", "100:300:100:1", "--csv", figures)["steps"]
        self.assertEqual([step["rate_per_s"] for step in steps], [100, 200, 300])
        self.assertEqual([step["sent"] for step in steps], [100, 200, 300])
        with open(figures, encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(sum(int(row["right"]) for row in rows), 600)
        self.assertEqual({row["rate_per_s"] for row in rows}, {"100", "200", "300"})


if __name__ == "__main__":
    unittest.main()
