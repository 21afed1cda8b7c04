# SPDX-License-Identifier: Apache-2.0
"""Datagrams that have waited too long. The server is made to wait by stopping it."""

import glob
import os
import pathlib
import signal
import time
import unittest

from support import Answer, EndToEnd


class Overload(EndToEnd):
    def wait_stopped(self, seconds, *requests):
        """Sends the requests to a server that stands still for so long."""
        os.kill(self.server.pid, signal.SIGSTOP)
        while not self.stands_still():
            time.sleep(0.001)
        for request in requests:
            self.phone.send(request)
        time.sleep(seconds)
        os.kill(self.server.pid, signal.SIGCONT)

    def stands_still(self):
        """Each of its threads has been stopped."""
        threads = glob.glob(f"/proc/{self.server.pid}/task/*/stat")
        return all(pathlib.Path(path).read_text().rpartition(") ")[2][0] == "T"
                   for path in threads)

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


if __name__ == "__main__":
    unittest.main()
