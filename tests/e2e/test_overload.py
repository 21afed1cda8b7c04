# SPDX-License-Identifier: Apache-2.0
"""More than the server can answer: datagrams that have waited too long, and a source that sends far
too many. The server is made to wait by stopping it."""

import json
import os
import pathlib
import signal
import time
import unittest

from support import PATIENCE_S, Answer, EndToEnd, executable, free_port


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
        bucket = "signpost_answer_delay_seconds_bucket"
        self.server.wait_metric(f'{bucket}{{le="+Inf"}}', 1)  # counted when it has left
        self.assertEqual(self.server.metrics()[f'{bucket}{{le="0.25"}}'], 0)

    def test_what_has_waited_long_may_be_told_to_come_again(self):
        self.begin("--busy-after-ms", "300", "--retry-after-s", "20")
        request = self.phone.register(self.bob, "<sip:bob@192.0.2.7>")
        self.wait_stopped(0.6, request)
        answer = self.answer()
        self.assertEqual(answer.status, 503)
        self.assertTrue(20 <= int(answer.one("Retry-After")) <= 40)
        self.assertEqual(self.server.metrics()["signpost_busy_total"], 1)

    def socket_row(self):
        """What the kernel tells of the server's socket. While others open and close theirs, it
        leaves one out at times."""
        table = pathlib.Path("/proc/net/udp")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for row in table.read_text().splitlines()[1:]:
                columns = row.split()
                if int(columns[1].rpartition(":")[2], 16) == self.server.port:
                    return columns
        raise AssertionError("the kernel does not know of the server's socket")

    def requests_wait(self):
        """The kernel has datagrams for the server that nobody has taken."""
        return int(self.socket_row()[4].rpartition(":")[2], 16) > 0

    def dropped(self):
        """How many the kernel has not put into the socket's buffer."""
        return int(self.socket_row()[-1])

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

    # ---- One source sends far more than can be read

    def send_mixed(self, count):
        """Of the greedy phone three quarters, one of the modest."""
        for n in range(count):
            phone = self.modest if n % 4 == 3 else self.greedy
            phone.send(phone.request("OPTIONS"))

    def wait_all_read(self):
        """The server has read everything that the kernel has not dropped."""
        deadline = time.monotonic() + PATIENCE_S
        while self.requests_wait() and time.monotonic() < deadline:
            time.sleep(0.001)
        self.assertFalse(self.requests_wait())

    def raise_fence(self):
        """The server finds its buffer full, mostly of what one phone has sent. Returns how many
        datagrams the buffer has room for."""
        self.stop()
        before, sent = self.dropped(), 0
        while self.dropped() == before:
            self.send_mixed(8)
            sent += 8
        os.kill(self.server.pid, signal.SIGCONT)
        self.wait_all_read()
        return sent

    def stop_fenced(self):
        """Stops the server with the greedy phone fenced. Returns what raise_fence does. A machine
        that takes half a second for the next step after the fence was raised finds it gone, and
        tries again."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            room = self.raise_fence()
            self.stop()
            before = self.dropped()
            for _ in range(room // 10):
                self.greedy.send(self.greedy.request("OPTIONS"))
            if self.dropped() > before:
                return room
            os.kill(self.server.pid, signal.SIGCONT)
            self.wait_all_read()
        raise AssertionError("the greedy phone is never fenced")

    def test_a_flood_from_one_address_leaves_room_for_another(self):
        self.begin("--receive-buffer-bytes", "262144", "--ring-slots", "4096")
        self.greedy, self.modest = self.phone, self.client(self.server, source="127.0.0.2")
        for _ in range(8):  # little enough for the buffer: all is read, and who sends it is known
            self.send_mixed(80)
            self.wait_all_read()
        room = self.stop_fenced()
        for _ in range(room):  # without a fence the buffer is full now
            self.greedy.send(self.greedy.request("OPTIONS"))
        waiting = self.client(self.server, source="127.0.0.2")
        branches = {f"z9hG4bK-modest-{n}" for n in range(room // 10)}
        for branch in branches:
            waiting.send(waiting.request("OPTIONS", branch=branch))
        os.kill(self.server.pid, signal.SIGCONT)
        while branches:
            received = waiting.receive()
            self.assertIsNotNone(received, f"{len(branches)} of {room // 10} are not answered")
            branches.discard(Answer(*received).via()["branch"])
        self.assertGreater(self.server.metric("signpost_fences_raised_total"), 0)
        deadline = time.monotonic() + PATIENCE_S
        while self.server.metric("signpost_fenced_sources") > 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(self.server.metric("signpost_fenced_sources"), 0)
        calm = self.client(self.server)  # at the greedy one's address
        self.assertEqual(calm.ask(calm.request("OPTIONS")).status, 200)


if __name__ == "__main__":
    unittest.main()
