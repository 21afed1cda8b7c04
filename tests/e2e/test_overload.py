# SPDX-License-Identifier: Apache-2.0
"""Datagrams that have waited too long. The server is made to wait by stopping it."""

import json
import os
import pathlib
import signal
import time
import unittest

from support import Answer, EndToEnd, executable, free_port


class Overload(EndToEnd):
    def stop(self):
        os.kill(self.server.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.server.pid, os.WSTOPPED)  # the last of its threads stands still

    def wait_stopped(self, seconds, *requests):
        """Sends the requests to a server that stands still for so long."""
        self.stop()
        for request in requests:
            self.phone.send(request)
        time.sleep(seconds)
        os.kill(self.server.pid, signal.SIGCONT)

    def begin(self, *options):
        self.server = self.start(*options)
        self.phone = self.client(self.server)
        self.bob = f"sip:bob@{self.server.domain}"

    def answer(self):
        return Answer(*self.phone.receive())

    def test_what_has_waited_too_long_is_dropped_and_counted(self):
        self.begin("--drop-after-ms", "300")
        old = [self.phone.register(self.bob, "<sip:bob@192.0.2.7>", call_id=f"old-{n}@e2e")
               for n in range(5)]
        self.wait_stopped(0.6, *old)
        self.server.wait_metric('signpost_dropped_total{reason="too_old"}', 5)
        self.assertEqual(self.server.metrics()["signpost_bindings"], 0)

    def test_what_has_not_is_served(self):
        self.begin()
        request = self.phone.register(self.bob, "<sip:bob@192.0.2.7>")
        self.wait_stopped(0.6, request)
        self.assertEqual(self.answer().status, 200)
        delays = self.server.metrics()
        self.assertEqual(delays['signpost_answer_delay_seconds_bucket{le="0.25"}'], 0)
        self.assertEqual(delays['signpost_answer_delay_seconds_bucket{le="+Inf"}'], 1)

    def test_what_has_waited_long_may_be_told_to_come_again(self):
        self.begin("--busy-after-ms", "300", "--retry-after-s", "20")
        request = self.phone.register(self.bob, "<sip:bob@192.0.2.7>")
        self.wait_stopped(0.6, request)
        answer = self.answer()
        self.assertEqual(answer.status, 503)
        self.assertTrue(20 <= int(answer.one("Retry-After")) <= 40)
        self.assertEqual(self.server.metrics()["signpost_busy_total"], 1)

    def requests_wait(self):
        """The kernel has datagrams for the server that nobody has taken."""
        port = int(self.server.domain.rpartition(":")[2])
        rows = [row.split() for row in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]]
        return any(int(row[1].rpartition(":")[2], 16) == port and
                   int(row[4].rpartition(":")[2], 16) > 0 for row in rows)

    def flood_stopped(self, seconds, *options):
        """(exit status, report) of a flood that finds the server standing still, for so long."""
        self.stop()
        flood = self.spawn([
            executable("SIPFLOOD"), "register", "--target", self.server.domain, "--json",
            "--users", 64, "--window", 64, "--ports", 1, "--local-port", free_port(),
            "--timeout", 60, *options])
        while not self.requests_wait():
            time.sleep(0.001)
        time.sleep(seconds)
        os.kill(self.server.pid, signal.SIGCONT)
        status = flood.wait()
        return status, json.loads(flood.lines[-1])

    def test_sipflood_tells_refusals_from_wrong_answers_and_from_loss(self):
        self.begin("--busy-after-ms", "1", "--drop-after-ms", "60000")
        refused = 0
        for loss_max, expected in (("0", 1), ("100", 0)):
            with self.subTest(loss_max):
                status, report = self.flood_stopped(0.2, "--loss-max", loss_max)
                counts = report["counts"]
                refused += counts["refused"]
                self.assertGreater(counts["refused"], 0)
                self.assertEqual(counts["refused"] + counts["right"], counts["sent"], counts)
                self.assertEqual(report["kinds"]["register"]["refused"], counts["refused"])
                self.server.wait_metric("signpost_busy_total", refused)
                self.assertGreaterEqual(report["oldest_us"], 200_000)
                self.assertEqual(report["loss_percent"], 100 * counts["refused"] / counts["sent"])
                self.assertEqual(status, expected)


if __name__ == "__main__":
    unittest.main()
