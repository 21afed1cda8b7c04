# SPDX-License-Identifier: Apache-2.0
"""What a server that keeps its bindings knows after a restart, and what it does while it loads."""

import functools
import os
import signal
import time
import unittest

from stores import Stall, Stores, answers, contact, held, wait_until

BOTH = ("sync", "async")


def each_way(test):
    """The test gets a server, of each durability, and how it is to be ended before it is started
    again."""
    @functools.wraps(test)
    def run(self):
        for durability in BOTH:
            for how in ("SIGTERM", "kill -9"):
                with self.subTest(durability=durability, how=how):
                    self.setUp()
                    test(self, self.keep(durability), how)

    return run


class Restarting(Stores):
    def restart(self, server, how):
        """Another one with the same options, after SIGTERM or kill -9."""
        if how == "SIGTERM":
            server.terminate()
        else:
            self.settle(server)
            server.kill()
        return self.again(server)

    @each_way
    def test_all_bindings_are_there(self, server, how):
        self.bind(server, range(50))
        server = self.restart(server, how)
        self.assert_held(server, range(50))
        self.assert_redirects(server, range(50))

    @each_way
    def test_what_a_binding_has_is_there(self, server, how):
        client = self.client(server)
        rows = ("<sip:a@192.0.2.1:5070;transport=udp>;q=0.5;+sip.instance=\"<urn:x:1>\"",
                "\"A name\" <sip:b@192.0.2.2>;q=1.0;expires=700", "<sip:c@192.0.2.3>;q=0.001")
        answer = self.ask_register(client, "bob", *rows, expires=900)
        self.assertEqual(answer.status, 200, answer)
        server = self.restart(server, how)
        client = self.client(server)
        left = self.ask_register(client, "bob").contacts()
        self.assertEqual([uri for uri, _ in left], [uri for uri, _ in answer.contacts()])
        for (_, now), (_, then) in zip(left, answer.contacts()):
            self.assertLessEqual(int(now.pop("expires")), int(then.pop("expires")))
            self.assertEqual(now, then)

    def test_time_has_passed_meanwhile(self):
        server = self.keep("sync", "--expires-min-s", "1")
        client = self.client(server)
        began = time.time()
        answers = [self.ask_register(client, "short", "<sip:short@192.0.2.1>", expires=2),
                   self.ask_register(client, "long", "<sip:long@192.0.2.1>", expires=1000)]
        self.assertEqual([answer.status for answer in answers], [200, 200])
        then = answers[1].expiries()["sip:long@192.0.2.1"]
        bound = time.time()
        server.terminate()
        wait_until(lambda: time.time() > bound + 3, "the end of the short binding")
        stopped = time.time()
        server = self.again(server)
        now = held(server)
        self.assertEqual(list(now), ["long@kept.test"])
        left = now["long@kept.test"]["sip:long@192.0.2.1"]
        self.assertLessEqual(left, then - int(stopped - bound))
        self.assertGreaterEqual(left, then - int(time.time() - began) - 1)
        self.assertEqual(self.client(server).call("sip:short@kept.test").status, 404)

    @each_way
    def test_the_order_of_call_id_and_cseq_still_holds(self, server, how):
        client = self.client(server)
        first = self.ask_register(client, "bob", "<sip:new@192.0.2.1>", cseq=20)
        stale = self.ask_register(client, "bob", "<sip:new@192.0.2.1>;expires=0", cseq=19)
        self.assertEqual(first.status, 200)
        server = self.restart(server, how)
        client = self.client(server)
        again = self.ask_register(client, "bob", "<sip:new@192.0.2.1>;expires=0", cseq=19)
        self.assertEqual(again.status, stale.status)
        self.assertGreaterEqual(again.status, 400)
        self.assertEqual(client.call("sip:bob@kept.test").uris(), ["sip:new@192.0.2.1"])
        later = self.ask_register(client, "bob", "<sip:newer@192.0.2.1>", cseq=21)
        self.assertEqual((later.status, len(later.uris())), (200, 2))

    @each_way
    def test_a_retransmission_is_recognized(self, server, how):
        client = self.client(server)
        request = client.register("sip:bob@kept.test", "<sip:bob@192.0.2.1>")
        first = client.ask(request)
        server = self.restart(server, how)
        second = client.ask(request)  # from the same socket
        self.assertEqual((first.status, second.status), (200, 200), second)
        self.assertEqual(second.to_tag(), first.to_tag())
        self.assertEqual(second.uris(), first.uris())

    @each_way
    def test_what_was_removed_does_not_come_back(self, server, how):
        self.bind(server, range(6))
        client = self.client(server)
        client.cseq = 100
        for number in range(2):
            gone = f"<{contact(number)}>;expires=0"
            self.assertEqual(self.ask_register(client, f"u{number}", gone).status, 200)
        for number in range(2, 4):
            answer = self.ask_register(client, f"u{number}", "*", expires=0)
            self.assertEqual(answer.status, 200)
        server = self.restart(server, how)
        self.assert_held(server, range(4, 6))
        server = self.restart(server, how)
        self.assert_held(server, range(4, 6))

    @each_way
    def test_of_several_contacts_what_was_left_is_there(self, server, how):
        client = self.client(server)
        self.ask_register(client, "bob", "<sip:a@192.0.2.1>", "<sip:b@192.0.2.1>")
        answer = self.ask_register(client, "bob", "<sip:a@192.0.2.1>;expires=0",
                                   "<sip:c@192.0.2.1>;q=0.3", "<sip:b@192.0.2.1>;q=0.9")
        self.assertEqual(answer.status, 200)
        server = self.restart(server, how)
        self.assertEqual(self.client(server).call("sip:bob@kept.test").uris(),
                         ["sip:b@192.0.2.1", "sip:c@192.0.2.1"])

    def test_durability_none_keeps_nothing(self):
        server = self.keep("none")
        self.bind(server, range(3))
        server.terminate()
        self.assertFalse(os.path.exists(self.store))
        self.assert_held(self.again(server), ())

    def test_without_a_directory_the_service_managers_is_used(self):
        server = self.start("--store", "rocksdb")
        self.bind(server, range(3))
        server.terminate()
        self.assertTrue(os.path.exists(os.path.join(os.environ["STATE_DIRECTORY"], "CURRENT")))
        self.assert_held(self.again(server), range(3))


class Loading(Stores):
    """While a loader stands still, for as long as the test wants."""

    def setUp(self):
        super().setUp()
        self.stall = Stall(self.folder)

    def load(self, durability="async"):
        """A server that is loading, and a client of it."""
        server = self.keep(durability)
        self.bind(server, range(5))
        server.terminate()
        self.stall.begin("load")
        self.addCleanup(self.stall.end)
        server = self.again(server, prefix=self.stall.prefix, ready=None)
        wait_until(lambda: answers(server), "its admin page")
        client = self.client(server)
        self.assertEqual(client.ask(client.request("OPTIONS")).status, 200)
        server.wait_line(f"info: store: loading from {self.store}")
        return server, client

    def assert_refused_for_now(self, answer):
        self.assertEqual(answer.status, 503, answer)
        self.assertGreater(int(answer.one("Retry-After")), 0)

    def test_what_needs_the_table_is_refused_for_now(self):
        for durability in BOTH:
            with self.subTest(durability):
                self.setUp()
                server, client = self.load(durability)
                self.assert_refused_for_now(client.call("sip:u1@kept.test"))
                self.assert_refused_for_now(self.ask_register(client, "u1"))
                self.assert_refused_for_now(
                    self.ask_register(client, "u9", "<sip:u9@192.0.2.9>"))
                self.assertNotIn("ready", server.output)
                self.assertEqual(server.get("/healthz")[0], 200)
                self.assertEqual(server.metric("signpost_store_up"), 0)
                self.stall.end()
                server.wait_line("ready")
                self.assert_held(server, range(5))
                self.bind(server, [9])
                server.terminate()

    def test_sigterm_ends_it_and_loses_nothing(self):
        server, _ = self.load()
        server.signal(signal.SIGTERM)
        server.wait_line("info: store: told to end before all is loaded")
        wait_until(lambda: not answers(server), "the end of its admin page")
        self.stall.end()
        server.terminate()
        self.assertNotIn("ready", server.output)
        self.assert_held(self.again(server), range(5))

    def test_a_new_store_is_not_loaded(self):
        self.assertNotIn("loading", self.keep("sync").output)

    def test_sighup_does_not_end_it(self):
        server, client = self.load()
        server.signal(signal.SIGHUP)
        for _ in range(20):
            self.assertEqual(client.ask(client.request("OPTIONS")).status, 200)
        self.stall.end()
        server.wait_line("ready")
        self.assert_held(server, range(5))

    def test_kill_9_loses_nothing(self):
        server, _ = self.load()
        server.kill()
        self.stall.end()
        self.assert_held(self.again(server), range(5))


if __name__ == "__main__":
    unittest.main()
