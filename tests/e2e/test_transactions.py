# SPDX-License-Identifier: Apache-2.0
"""Server transactions (RFC 3261 17.2) of the real server: what it repeats, when, and from where.

Time is only asserted as 'not before'. That something does not come is shown beside something else
that does, later.
"""

import re
import time
import unittest

from support import Answer, Client, EndToEnd, PATIENCE_S, token

BOB_AT_HOME = "sip:bob@192.0.2.10:5070"
# The server reads its clock in whole milliseconds.
GRAIN_S = 0.002


def ack_of(invite, answer):
    """The ACK to the final answer of this INVITE, as its client would make it (17.1.1.3)."""
    ack = invite.replace(b"INVITE ", b"ACK ", 1).replace(b" INVITE\r\n", b" ACK\r\n", 1)
    to = re.search(rb"To: .*", answer)[0].rstrip()
    return re.sub(rb"To: [^\r]*", lambda _: to, ack, count=1)


def cancel_of(invite):
    return invite.replace(b"INVITE ", b"CANCEL ", 1).replace(b" INVITE\r\n", b" CANCEL\r\n", 1)


def branch_of(data):
    return re.search(rb"branch=([^;,\s]+)", data)[1]


class Transactions(EndToEnd):
    hosts = ("127.0.0.1",)
    options = ()

    def setUp(self):
        self.server = self.start(*self.options, hosts=self.hosts)
        self.phone = self.client(self.server)
        self.bob = f"sip:bob@{self.server.domain}"
        answer = self.phone.ask(self.phone.register(self.bob, f"<{BOB_AT_HOME}>"))
        self.assertEqual(answer.status, 200, str(answer))

    def invite(self, client, uri=None, **how):
        """Sends an INVITE: its bytes, when it left, and what came back."""
        data = client.request("INVITE", uri or self.bob, call_id=f"{token()}@e2e", **how)
        sent_at = time.monotonic()
        client.send(data)
        received = client.receive()
        self.assertIsNotNone(received)
        self.assertIn(branch_of(data), received[0])
        return data, sent_at, received[0]

    def receive(self, client):
        received = client.receive()
        self.assertIsNotNone(received, f"nothing comes in {PATIENCE_S:.0f} s")
        return received

    def asked_twice(self, data):
        first = self.phone.ask(data).data
        second = self.phone.ask(data).data
        self.assertEqual(first, second)
        return Answer(first, None)


class Repeating(Transactions):
    def test_unacknowledged_answer_is_repeated_at_growing_intervals_and_not_after_the_ack(self):
        acknowledged, _, first = self.invite(self.phone)
        waiting, sent_at, answer = self.invite(self.phone)
        self.assertEqual(Answer(first, None).status, 302)
        self.assertNotEqual(first, answer)
        seen, came_at = [], []  # repetitions; and when those of the second answer came
        while len(came_at) < 3:
            again = self.receive(self.phone)[0]
            seen.append(again)
            self.assertIn(again, (first, answer))
            if again == answer:
                came_at.append(time.monotonic())
            else:
                self.phone.send(ack_of(acknowledged, first))
                self.server.wait_metric("signpost_acks_total", 1)
        self.assertEqual(seen.count(first), 1, "and none after the ACK")
        for at, earliest_s in zip(came_at, (0.5, 1.5, 3.5)):
            self.assertGreaterEqual(at, sent_at + earliest_s - GRAIN_S)
        self.phone.send(ack_of(waiting, answer))
        self.server.wait_metric("signpost_answers_repeated_total", 4)
        # both are forgotten soon; the REGISTER stays for 32 s
        self.server.wait_metric("signpost_acks_total", 2)
        self.wait_gauge("signpost_transactions", 1)
        self.assertEqual(self.server.metric("signpost_answers_repeated_total"), 4)

    def wait_gauge(self, name, value):
        deadline = time.monotonic() + PATIENCE_S
        while (seen := self.server.metric(name)) > value and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertLessEqual(seen, value, name)

    def test_wrong_acks_end_nothing(self):
        data, _, answer = self.invite(self.phone)
        other_branch = ack_of(data, answer).replace(branch_of(data), b"z9hG4bKother")
        other_port = re.sub(rb"(UDP [^;:]+):\d+", rb"\1:9", ack_of(data, answer), count=1)
        for wrong in (other_branch, other_port):
            self.assertNotEqual(wrong, ack_of(data, answer))
            self.phone.send(wrong)
        self.server.wait_metric("signpost_acks_total", 2)
        # two of them, lest the first have been on its way already
        self.assertEqual(self.receive(self.phone)[0], answer)
        self.assertEqual(self.receive(self.phone)[0], answer)

    def test_ack_of_rfc_2543_needs_the_tag_of_the_answer(self):
        via = f"SIP/2.0/UDP {self.phone.sent_by};rport"
        data = self.phone.request("INVITE", self.bob, via=via)
        self.phone.send(data)
        answer = self.receive(self.phone)[0]
        self.phone.send(re.sub(rb"(;tag=)[0-9a-f]{16}\r", rb"\1wrong\r", ack_of(data, answer)))
        self.server.wait_metric("signpost_acks_total", 1)
        self.assertEqual(self.receive(self.phone)[0], answer)
        self.assertEqual(self.receive(self.phone)[0], answer)
        self.phone.send(ack_of(data, answer))
        self.server.wait_metric("signpost_acks_total", 2)
        self.phone.send(data)  # absorbed
        self.server.wait_metric("signpost_retransmissions_total", 1)
        self.assertEqual(Answer(*self.asked("OPTIONS")).status, 200)

    def asked(self, method):
        data = self.phone.request(method)
        self.phone.send(data)
        received = self.receive(self.phone)
        self.assertIn(branch_of(data), received[0])
        return received


class Alike(Transactions):
    def test_retransmissions_get_the_identical_answer_whatever_has_changed(self):
        register = self.phone.register(self.bob, "<sip:bob@192.0.2.20>", expires=600)
        before = self.phone.ask(register)
        invite, _, answer = self.invite(self.phone)
        self.phone.send(ack_of(invite, answer))
        late = self.phone.request("INVITE", self.bob, call_id="late@e2e")
        late_answer = self.phone.ask(late)
        remove = self.phone.register(self.bob, "*", expires=0, call_id="remove@e2e")
        self.assertEqual(self.phone.ask(remove).status, 200)
        self.assertEqual(self.phone.ask(register).data, before.data)
        self.assertEqual(self.phone.ask(late).data, late_answer.data)
        self.phone.send(ack_of(late, late_answer.data))
        self.assertEqual(self.phone.call(self.bob, call_id="new@e2e").status, 404)
        counted = self.server.metrics()
        self.assertEqual(counted["signpost_bindings"], 0)
        self.assertGreaterEqual(counted["signpost_retransmissions_total"], 2)

    def test_counters_and_gauges_tell_of_transactions(self):
        self.server.wait_metric("signpost_transactions", 1)
        one = self.server.metric("signpost_transaction_bytes")
        self.assertGreater(one, 300)
        options = self.phone.request("OPTIONS")
        self.assertEqual(self.asked_twice(options).status, 200)
        self.server.wait_metric("signpost_retransmissions_total", 1)
        self.server.wait_metric("signpost_transactions", 2)
        self.assertGreater(self.server.metric("signpost_transaction_bytes"), one)
        self.assertEqual(self.server.requests(), {"REGISTER": 1, "OPTIONS": 1})
        self.assertEqual(self.server.metric("signpost_transactions_refused_total"), 0)
        self.assertEqual(self.server.metric("signpost_answers_repeated_total"), 0)

    def test_cancel_gets_200_with_the_tag_of_the_invite_or_481(self):
        data, _, answer = self.invite(self.phone)
        self.phone.send(ack_of(data, answer))
        cancel = self.asked_twice(cancel_of(data))
        self.assertEqual(cancel.status, 200)
        self.assertEqual(cancel.to_tag(), Answer(answer, None).to_tag())
        stray = cancel_of(self.phone.request("INVITE", self.bob))
        self.assertEqual(self.asked_twice(stray).status, 481)

    def test_merged_request_gets_482(self):
        data = self.phone.request("OPTIONS")
        merged = data.replace(branch_of(data), branch_of(data) + b"2")
        self.assertEqual(self.phone.ask(data).status, 200)
        self.assertEqual(self.asked_twice(merged).status, 482)


class Sockets(Transactions):
    hosts = ("127.0.0.1", "::1", "127.0.0.1")

    def test_repetition_leaves_from_the_address_the_invite_came_to(self):
        clients = [self.client(self.server, listener=index) for index in range(len(self.hosts))]
        answers = [self.invite(client)[2] for client in clients]
        for client, answer in zip(clients, answers):
            for _ in range(2):
                again, source = self.receive(client)
                self.assertEqual(again, answer)
                self.assertEqual(source, client.target)

    def test_repetition_leaves_from_the_address_called_when_bound_to_all_of_them(self):
        server = self.start(hosts=("0.0.0.0",))
        for ip in ("127.0.0.1", "127.0.0.2"):
            client = Client((ip, server.port))
            self.addCleanup(client.close)
            answer = self.invite(client, f"sip:nobody@{ip}")[2]
            again, source = self.receive(client)
            self.assertEqual(again, answer)
            self.assertEqual(source, (ip, server.port))

    def test_repetition_goes_where_the_answer_went(self):
        # RFC 3261 18.2.2: to the port of sent-by, at the address the request came from
        sender, listener = self.client(self.server), self.client(self.server)
        branch = f"z9hG4bK{token()}"
        via = f"SIP/2.0/UDP 10.9.9.9:{listener.port};branch={branch}"
        sender.send(sender.request("INVITE", self.bob, via=via))
        answer = self.receive(listener)[0]
        self.assertIn(branch.encode(), answer)
        self.assertEqual(self.receive(listener)[0], answer)


class Stateless(Transactions):
    options = ("--transactions", "stateless")

    def test_nothing_is_repeated_and_no_cancel_finds_its_invite(self):
        other = self.start()
        clock = self.client(other)
        data, _, answer = self.invite(self.phone)
        self.assertEqual(Answer(answer, None).status, 302)
        self.invite(clock, f"sip:nobody@{other.domain}")
        for _ in range(2):  # the other server repeats its answer to a later INVITE
            self.receive(clock)
        self.assertIsNone(self.phone.receive(0.01))
        self.assertEqual(self.phone.ask(cancel_of(data)).status, 481)
        remove = self.phone.register(self.bob, "*", expires=0)
        self.assertEqual(self.phone.ask(remove).status, 200)
        anew = self.phone.ask(data)
        self.assertEqual(anew.status, 404)
        self.assertEqual(anew.to_tag(), Answer(answer, None).to_tag())
        counted = self.server.metrics()
        for name in ("signpost_transactions", "signpost_transaction_bytes",
                     "signpost_retransmissions_total", "signpost_answers_repeated_total",
                     "signpost_transactions_refused_total",
                     "signpost_transactions_evicted_total"):
            self.assertEqual(counted[name], 0, name)


class Budget(Transactions):
    options = ("--transaction-bytes-max", "65536", "-w", "2")

    def test_past_the_budget_everything_is_still_answered_and_counted(self):
        for index in range(300):
            data = self.phone.request("INVITE", self.bob, call_id=f"call-{index}@e2e")
            self.assertEqual(self.answer_to(data).status, 302)
        counted = self.server.metrics()
        self.assertGreater(counted["signpost_transactions_evicted_total"], 50)
        self.assertGreater(counted["signpost_transactions"], 10)
        self.assertLessEqual(counted["signpost_transaction_bytes"], 65536)
        register = self.phone.register(self.bob, "<sip:bob@192.0.2.20>", call_id="full@e2e")
        self.assertEqual(self.answer_to(register).status, 200)

    def answer_to(self, data):
        """Its answer, among repetitions of others."""
        self.phone.send(data)
        while True:
            received = self.receive(self.phone)
            if branch_of(data) in received[0]:
                return Answer(*received)


if __name__ == "__main__":
    unittest.main()
