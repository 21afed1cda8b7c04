# SPDX-License-Identifier: Apache-2.0
"""SIPp, the tool every SIP server is tried with, against the real server."""

import csv
import os
import shutil
import unittest

from support import EndToEnd, free_port, free_ports

HERE = os.path.dirname(os.path.abspath(__file__))
CALLS = 2000
CALLS_PER_S = 1000


class Sipp(EndToEnd):
    def setUp(self):
        self.assertTrue(shutil.which("sipp"), "no sipp here: apt-get install sip-tester")
        self.server = self.start()
        self.folder = self.directory()

    def run_scenario(self, name):
        """SIPp's final counters; it must have ended well."""
        statistics = os.path.join(self.folder, f"{name}.csv")
        errors = os.path.join(self.folder, f"{name}.errors")
        command = ["sipp", self.server.domain, "-sf", os.path.join(HERE, f"{name}.xml"),
                   "-i", "127.0.0.1", "-p", free_port(), "-cp", free_port(),
                   "-mi", "127.0.0.1", "-mp", free_ports(4), "-nostdin",
                   "-m", CALLS, "-r", CALLS_PER_S, "-timeout", "50s", "-timeout_error",
                   "-trace_stat", "-stf", statistics, "-trace_err", "-error_file", errors]
        sipp = self.spawn(command, cwd=self.folder)
        status = sipp.wait()
        complaint = ""
        if os.path.exists(errors):
            with open(errors, encoding="utf-8") as text:
                complaint = text.read(2000)
        self.assertEqual(status, 0, complaint or sipp.output[-2000:])
        with open(statistics, encoding="utf-8") as text:
            *_, last = csv.DictReader(text, delimiter=";")
        self.assertEqual(int(last["SuccessfulCall(C)"]), CALLS, complaint)
        self.assertEqual(int(last["FailedCall(C)"]), 0, complaint)
        return last

    def test_registers_then_redirects_every_call(self):
        registering = self.run_scenario("register")
        self.server.wait_metric("signpost_bindings", CALLS)
        self.server.wait_metric("signpost_bindings_added_total", CALLS)
        self.server.wait_metric("signpost_bindings_refreshed_total", CALLS)
        repeated = int(registering["Retransmissions(C)"])
        self.assert_received("REGISTER", 2 * CALLS, repeated)

        inviting = self.run_scenario("invite")
        repeated = int(inviting["Retransmissions(C)"])
        self.assert_received("INVITE", CALLS, repeated)
        self.server.wait_metric("signpost_acks_total", CALLS)
        self.server.wait_metric("signpost_bindings", CALLS)

    def assert_received(self, method, requests, repeated):
        """All of them, and nothing SIPp has not sent."""
        seen = self.server.requests()[method]
        self.assertIn(seen, range(requests, requests + repeated + 1))


if __name__ == "__main__":
    unittest.main()
