# SPDX-License-Identifier: Apache-2.0
"""What the server answers over UDP, request by request, through real sockets."""

import ipaddress
import os
import re
import struct
import time
import unittest

from support import EndToEnd, PATIENCE_S, address_text, token

ALLOWED = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER"}
BOB_AT_HOME = "sip:bob@192.0.2.10:5070"
BOB_AT_WORK = "sip:bob@192.0.2.20"
BOB_MOBILE = "sip:bob@198.51.100.30:5062;transport=udp"


class Basics(EndToEnd):
    """Bob's address at a server of the test's own."""

    hosts = ("127.0.0.1",)
    options = ()

    def setUp(self):
        self.server = self.start(*self.options, hosts=self.hosts)
        self.phone = self.client(self.server)
        self.bob = f"sip:bob@{self.server.domain}"

    def registered(self, *contacts, aor=None, **how):
        """A REGISTER that must succeed."""
        answer = self.phone.ask(self.phone.register(aor or self.bob, *contacts, **how))
        self.assertEqual(answer.status, 200, str(answer))
        return answer

    def refused(self, data, status):
        answer = self.phone.ask(data)
        self.assertEqual(answer.status, status, f"{data.decode(errors='replace')}\n{answer}")
        return answer

    def bindings(self, aor=None):
        """{URI: seconds left}, fetched by a REGISTER without a Contact."""
        return self.registered(aor=aor).expiries()

    def redirected(self, uri=None, **how):
        answer = self.phone.call(uri or self.bob, **how)
        self.assertEqual(answer.status, 302, str(answer))
        return answer.uris()


class Registering(Basics):
    def test_register_is_answered_with_contact_and_expiry(self):
        answer = self.registered(f"<{BOB_AT_HOME}>", expires=600)
        self.assertEqual(answer.reason, "OK")
        self.assertEqual(answer.uris(), [BOB_AT_HOME])
        self.assertIn(answer.expiries()[BOB_AT_HOME], range(590, 601))

    def test_answer_repeats_what_the_transaction_needs(self):
        branch = f"z9hG4bK{token()}"
        data = self.phone.register(self.bob, f"<{BOB_AT_HOME}>", branch=branch, cseq=4711)
        answer = self.phone.ask(data)
        asked = dict(row.split(": ", 1) for row in data.decode().split("\r\n")[1:] if row)
        for name in ("From", "Call-ID", "CSeq"):
            self.assertEqual(answer.one(name), asked[name])
        self.assertEqual(answer.via()["branch"], branch)
        self.assertEqual(answer.one("To").split(";tag=")[0], asked["To"])
        self.assertTrue(answer.to_tag())
        self.assertEqual(answer.one("Content-Length"), "0")

    def test_expiry_of_a_contact_beats_the_expires_header(self):
        self.registered(f"<{BOB_AT_HOME}>;expires=300", f"<{BOB_AT_WORK}>", expires=900)
        left = self.bindings()
        self.assertIn(left[BOB_AT_HOME], range(290, 301))
        self.assertIn(left[BOB_AT_WORK], range(890, 901))

    def test_without_any_expiry_a_default_holds(self):
        left = self.registered(f"<{BOB_AT_HOME}>").expiries()[BOB_AT_HOME]
        self.assertIn(left, range(3590, 3601))

    def test_fetch_lists_all_bindings_and_changes_nothing(self):
        self.registered(f"<{BOB_AT_HOME}>", f"<{BOB_AT_WORK}>", expires=600)
        first = self.bindings()
        self.assertEqual(set(first), {BOB_AT_HOME, BOB_AT_WORK})
        self.assertEqual(set(self.bindings()), set(first))
        self.server.wait_metric("signpost_bindings_added_total", 2)
        self.server.wait_metric("signpost_bindings_refreshed_total", 0)

    def test_fetch_of_an_unknown_address_is_an_empty_200(self):
        self.assertEqual(self.bindings(aor=f"sip:nobody@{self.server.domain}"), {})

    def test_refresh_sets_the_expiry_anew(self):
        self.registered(f"<{BOB_AT_HOME}>", expires=100)
        self.registered(f"<{BOB_AT_HOME}>", expires=1000)
        left = self.bindings()
        self.assertEqual(set(left), {BOB_AT_HOME})
        self.assertGreater(left[BOB_AT_HOME], 900)
        self.server.wait_metric("signpost_bindings", 1)
        self.server.wait_metric("signpost_bindings_refreshed_total", 1)

    def test_contacts_compare_as_rfc_3261_19_1_4_says(self):
        self.registered("<sip:bob@phone.example.com;transport=udp>", expires=100)
        self.registered("<sip:%62ob@PHONE.example.com;Transport=UDP>", expires=1000)
        self.assertEqual(len(self.bindings()), 1)
        self.registered("<sip:BOB@phone.example.com;transport=udp>", expires=1000)
        self.assertEqual(len(self.bindings()), 2)

    def test_expires_zero_removes_one_binding(self):
        self.registered(f"<{BOB_AT_HOME}>", f"<{BOB_AT_WORK}>")
        answer = self.registered(f"<{BOB_AT_HOME}>;expires=0")
        self.assertEqual(answer.uris(), [BOB_AT_WORK])
        self.assertEqual(self.redirected(), [BOB_AT_WORK])
        self.registered(f"<{BOB_AT_WORK}>", expires=0)
        self.assertEqual(self.phone.call(self.bob).status, 404)
        self.server.wait_metric("signpost_bindings", 0)

    def test_star_removes_all_bindings(self):
        self.registered(f"<{BOB_AT_HOME}>", f"<{BOB_AT_WORK}>")
        self.assertEqual(self.registered("*", expires=0).uris(), [])
        self.assertEqual(self.phone.call(self.bob).status, 404)

    def test_star_with_anything_else_is_refused_and_removes_nothing(self):
        self.registered(f"<{BOB_AT_HOME}>")
        self.refused(self.phone.register(self.bob, "*", expires=60), 400)
        self.refused(self.phone.register(self.bob, "*"), 400)
        self.refused(self.phone.register(self.bob, "*", f"<{BOB_AT_WORK}>", expires=0), 400)
        self.assertEqual(set(self.bindings()), {BOB_AT_HOME})

    def test_expiry_below_the_minimum_gets_423(self):
        answer = self.refused(self.phone.register(self.bob, f"<{BOB_AT_HOME}>;expires=1"), 423)
        least = int(answer.one("Min-Expires"))
        self.assertGreater(least, 1)
        self.refused(self.phone.register(self.bob, f"<{BOB_AT_HOME}>", expires=least - 1), 423)
        self.assertEqual(self.bindings(), {})
        self.registered(f"<{BOB_AT_HOME}>", expires=least)

    def test_expiry_above_the_maximum_is_shortened(self):
        left = self.registered(f"<{BOB_AT_HOME}>", expires=4294967295).expiries()[BOB_AT_HOME]
        self.assertIn(left, range(3600, 7 * 86400 + 1))

    def test_retransmission_is_answered_alike_and_changes_nothing(self):
        data = self.phone.register(self.bob, f"<{BOB_AT_HOME}>", expires=600)
        first, second = self.phone.ask(data), self.phone.ask(data)
        self.assertEqual((first.status, second.status), (200, 200))
        self.assertEqual(first.to_tag(), second.to_tag())
        self.assertEqual(second.uris(), [BOB_AT_HOME])
        counted = self.server.metrics()
        self.assertEqual(counted["signpost_bindings_added_total"], 1)
        self.assertEqual(counted["signpost_bindings_refreshed_total"], 0)
        self.assertEqual(counted["signpost_retransmissions_total"], 1)

    def test_older_cseq_of_the_same_call_id_is_refused(self):
        self.registered(f"<{BOB_AT_HOME}>", cseq=100, expires=600)
        for late in (f"<{BOB_AT_HOME}>;expires=0", f"<{BOB_AT_HOME}>;expires=1200"):
            answer = self.phone.ask(self.phone.register(self.bob, late, cseq=99))
            self.assertIn(answer.status, range(400, 600), str(answer))
        self.server.wait_metric("signpost_bindings", 1)
        left = self.bindings()[BOB_AT_HOME]
        self.assertIn(left, range(500, 601))

    def test_older_cseq_of_another_call_id_is_accepted(self):
        self.registered(f"<{BOB_AT_HOME}>", cseq=100, expires=600)
        self.registered(f"<{BOB_AT_HOME}>", cseq=1, call_id="after-reboot@e2e", expires=1200)
        self.assertGreater(self.bindings()[BOB_AT_HOME], 1100)

    def test_a_register_with_one_bad_contact_changes_nothing(self):
        self.registered(f"<{BOB_AT_HOME}>", expires=600)
        good, bad = f"<{BOB_AT_WORK}>", "<sip:bob@[2001:db8::zz]:99999>"
        self.refused(self.phone.register(self.bob, good, bad), 400)
        self.refused(self.phone.register(self.bob, f"{good}, <sip:bob@192.0.2.9"), 400)
        self.refused(self.phone.register(self.bob, good, f"<{BOB_MOBILE}>;expires=1"), 423)
        self.refused(self.phone.register(self.bob, f"<{BOB_AT_HOME}>;expires=0", bad), 400)
        self.assertEqual(set(self.bindings()), {BOB_AT_HOME})

    def test_compact_folded_and_oddly_spaced_headers_are_understood(self):
        data = (
            f"REGISTER sip:{self.server.domain} SIP/2.0\r\n"
            f"v : SIP / 2.0 / UDP {self.phone.sent_by} ;\r\n\tbranch=z9hG4bK{token()} ; rport\r\n"
            f"t: \"Bob, the \\\"Builder\\\"\"\r\n <{self.bob}>\r\n"
            f"f: <{self.bob}> ; tag=1\r\n"
            f"i:{token()}\r\n"
            "cseq:\t1\r\n\t REGISTER\r\n"
            "max-FORWARDS: 70\r\n"
            f"m: \"Home, <sweet>\" <{BOB_AT_HOME}> ; q=0.5 ; EXPIRES = 300,\r\n"
            f" {BOB_AT_WORK};q=0.7\r\n"
            "l: 0\r\n\r\n"
        ).encode()
        self.assertEqual(self.phone.ask(data).status, 200)
        self.assertEqual(self.redirected(), [BOB_AT_WORK, BOB_AT_HOME])
        self.assertIn(self.bindings()[BOB_AT_HOME], range(290, 301))

    def test_white_space_may_stand_before_the_comma_between_contacts(self):
        # RFC 3261 25.1: COMMA = SWS "," SWS
        self.registered(f"<{BOB_AT_HOME}>;q=0.5 ,\t<{BOB_AT_WORK}>;q=0.7\r\n , {BOB_MOBILE};q=0.1")
        self.assertEqual(len(self.redirected()), 3)

    def test_address_of_record_is_canonical(self):
        self.registered(f"<{BOB_AT_HOME}>", aor=f"sip:%62ob@{self.server.domain}")
        self.assertEqual(self.redirected(f"{self.bob};user=phone"), [BOB_AT_HOME])


class Expiring(Basics):
    options = ("--expires-min-s", "1")

    def test_a_binding_expires_on_its_second(self):
        before = time.monotonic()
        self.registered(f"<{BOB_AT_HOME}>;expires=2", f"<{BOB_AT_WORK}>;expires=600")
        deadline = before + PATIENCE_S
        while self.redirected() != [BOB_AT_WORK]:
            self.assertLess(time.monotonic(), deadline, "the binding never expires")
            time.sleep(0.01)
        # The server counts in whole milliseconds.
        self.assertGreaterEqual(time.monotonic() - before, 2 - 0.002, "expired too early")
        self.assertEqual(set(self.bindings()), {BOB_AT_WORK})
        self.server.wait_metric("signpost_bindings_expired_total", 1)
        self.server.wait_metric("signpost_bindings", 1)

    def test_an_address_with_no_binding_left_is_unknown(self):
        self.registered(f"<{BOB_AT_HOME}>;expires=1")
        deadline = time.monotonic() + PATIENCE_S
        while (status := self.phone.call(self.bob).status) != 404:
            self.assertEqual(status, 302)
            self.assertLess(time.monotonic(), deadline, "the binding never expires")
            time.sleep(0.01)
        self.assertEqual(self.bindings(), {})


class Redirecting(Basics):
    def test_invite_is_redirected_to_the_contact(self):
        self.registered(f"<{BOB_MOBILE}>")
        answer = self.phone.call(self.bob)
        self.assertEqual((answer.status, answer.reason), (302, "Moved Temporarily"))
        self.assertEqual(answer.uris(), [BOB_MOBILE])
        self.assertTrue(answer.to_tag())

    def test_contacts_come_with_the_best_q_first(self):
        contacts = f"<{BOB_AT_WORK}>;q=0.3", f"<{BOB_MOBILE}>;q=0.123", f"<{BOB_AT_HOME}>;q=0.9"
        self.registered(*contacts)
        self.assertEqual(self.redirected(), [BOB_AT_HOME, BOB_AT_WORK, BOB_MOBILE])
        self.registered(f"<{BOB_MOBILE}>;q=1.0")
        self.assertEqual(self.redirected(), [BOB_MOBILE, BOB_AT_HOME, BOB_AT_WORK])

    def test_unknown_user_gets_404(self):
        self.registered(f"<{BOB_AT_HOME}>")
        answer = self.phone.call(f"sip:alice@{self.server.domain}")
        self.assertEqual((answer.status, answer.all("Contact")), (404, []))

    def test_request_uri_without_user_takes_the_callee_from_to(self):
        self.registered(f"<{BOB_AT_HOME}>")
        server = f"sip:{self.server.domain}"
        self.assertEqual(self.redirected(server, to=self.bob), [BOB_AT_HOME])
        self.assertEqual(self.phone.call(server, to=f"sip:x@{self.server.domain}").status, 404)

    def test_request_uri_with_user_beats_to(self):
        self.registered(f"<{BOB_AT_HOME}>")
        self.assertEqual(self.redirected(to=f"sip:x@{self.server.domain}"), [BOB_AT_HOME])

    def test_any_request_for_a_registered_address_is_redirected(self):
        self.registered(f"<{BOB_AT_HOME}>")
        for method in ("OPTIONS", "MESSAGE", "SUBSCRIBE", "FROBNICATE"):
            answer = self.phone.ask(self.phone.request(method, self.bob))
            self.assertEqual((answer.status, answer.uris()), (302, [BOB_AT_HOME]), method)

    def test_every_retransmission_gets_the_same_to_tag(self):
        self.registered(f"<{BOB_AT_HOME}>")
        data = self.phone.request("INVITE", self.bob)
        self.assertEqual(len({self.phone.ask(data).to_tag() for _ in range(20)}), 1)

    def test_all_via_headers_come_back_in_their_order(self):
        self.registered(f"<{BOB_AT_HOME}>")
        behind = "SIP/2.0/TCP 192.0.2.77:5060;branch=z9hG4bKbehind;received=10.0.0.1"
        answer = self.phone.call(self.bob, rows=[f"Via: {behind}"])
        self.assertEqual(len(answer.all("Via")), 2)
        self.assertEqual(answer.all("Via")[1], behind)


class Domains(Basics):
    options = ("-d", "example.com", "-d", "example.org")

    def test_only_its_own_domains_are_served(self):
        for domain in ("example.com", "EXAMPLE.org"):
            self.registered(f"<{BOB_AT_HOME}>", aor=f"sip:bob@{domain}")
            self.assertEqual(self.redirected(f"sip:bob@{domain.lower()}"), [BOB_AT_HOME])
        foreign = "sip:bob@example.net"
        answer = self.phone.ask(self.phone.register(foreign, f"<{BOB_AT_HOME}>"))
        self.assertIn(answer.status, (403, 404), str(answer))
        self.assertIn(self.phone.call(foreign).status, (403, 404))
        self.server.wait_metric("signpost_aors", 2)

    def test_a_caller_who_names_only_the_server_reaches_the_address_in_to(self):
        self.registered(f"<{BOB_AT_HOME}>", aor="sip:bob@example.com")
        for server in (f"sip:{self.server.domain}", "sip:example.org"):
            self.assertEqual(self.redirected(server, to="sip:bob@example.com"), [BOB_AT_HOME])
        self.refused(self.phone.request("OPTIONS", f"sip:{self.server.domain}"), 200)


class Answering(Basics):
    """Requests for the server itself, and those it can only refuse."""

    def test_options_tells_what_the_server_can_do(self):
        answer = self.refused(self.phone.request("OPTIONS"), 200)
        self.assertEqual(set(answer.tokens("Allow")), ALLOWED)
        self.assertEqual(len(answer.all("Accept")), 1)
        self.assertEqual(len(answer.all("Supported")), 1)

    def test_cancel_gets_481(self):
        self.registered(f"<{BOB_AT_HOME}>")
        self.refused(self.phone.request("CANCEL", self.bob), 481)

    def test_request_inside_a_dialog_gets_481(self):
        self.registered(f"<{BOB_AT_HOME}>")
        for method in ("BYE", "INVITE", "OPTIONS"):
            self.refused(self.phone.request(method, self.bob, to_tag="elsewhere"), 481)

    def test_unknown_method_gets_501_and_unsupported_405_both_with_allow(self):
        for method, status in (("FROBNICATE", 501), ("MESSAGE", 405), ("SUBSCRIBE", 405)):
            answer = self.refused(self.phone.request(method), status)
            self.assertEqual(set(answer.tokens("Allow")), ALLOWED)

    def test_required_extension_gets_420_naming_it(self):
        rows = ["Require: 100rel, foo"]
        answer = self.refused(self.phone.request("OPTIONS", rows=rows), 420)
        self.assertEqual(set(answer.tokens("Unsupported")), {"100rel", "foo"})

    def test_foreign_uri_scheme_gets_416(self):
        self.refused(self.phone.request("INVITE", "http://example.com/", to=self.bob), 416)

    def test_other_sip_version_gets_505(self):
        self.refused(self.phone.request("OPTIONS").replace(b" SIP/2.0", b" SIP/3.0", 1), 505)

    def test_bad_messages_get_400(self):
        good = self.phone.register(self.bob, f"<{BOB_AT_HOME}>", cseq=7)
        broken = {
            "no Call-ID": re.sub(rb"Call-ID: .*?\r\n", b"", good),
            "no From": re.sub(rb"From: .*?\r\n", b"", good),
            "no To": re.sub(rb"To: .*?\r\n", b"", good),
            "no CSeq": re.sub(rb"CSeq: .*?\r\n", b"", good),
            "CSeq of another method": good.replace(b"7 REGISTER", b"7 INVITE"),
            "CSeq not a number": good.replace(b"7 REGISTER", b"seven REGISTER"),
            "CSeq too large": good.replace(b"7 REGISTER", b"4294967296 REGISTER"),
            "two CSeq": good.replace(b"CSeq:", b"CSeq: 8 REGISTER\r\nCSeq:"),
            "two To": good.replace(b"To:", b"To: <sip:eve@127.0.0.1>\r\nTo:"),
            "two Call-ID": good.replace(b"Call-ID:", b"i: other\r\nCall-ID:"),
            "body shorter than said": good.replace(b"Content-Length: 0", b"Content-Length: 9"),
            "negative length": good.replace(b"Content-Length: 0", b"Content-Length: -1"),
            "To without URI": re.sub(rb"To: .*?\r\n", b"To: <>\r\n", good),
            "Contact unclosed": good.replace(b"5070>", b"5070"),
            "port too large": good.replace(b":5070>", b":65536>"),
            "Expires twice": good.replace(b"CSeq:", b"Expires: 60\r\nExpires: 70\r\nCSeq:"),
        }
        for what, data in broken.items():
            with self.subTest(what):
                self.assertNotEqual(data, good)
                self.refused(data, 400)
        self.assertEqual(self.bindings(), {})


class Silent(Basics):
    """What gets no answer. With one worker, answers leave in the order of the requests."""

    options = ("-w", "1")

    def assert_silent(self, data):
        ping = self.phone.request("OPTIONS")
        branch = re.search(rb"branch=([^;\r]+)", ping)[1]
        self.phone.send(data)
        self.phone.send(ping)
        received = self.phone.receive()
        self.assertIsNotNone(received, f"the server is silent for good after {data[:80]!r}")
        self.assertIn(branch, received[0], f"{data[:200]!r} is answered")

    def test_ack_is_absorbed(self):
        self.registered(f"<{BOB_AT_HOME}>")
        branch = f"z9hG4bK{token()}"
        answer = self.phone.call(self.bob, branch=branch, cseq=50)
        ack = self.phone.request("ACK", self.bob, to_tag=answer.to_tag(), branch=branch, cseq=50)
        self.assert_silent(ack)
        self.assert_silent(self.phone.request("ACK"))
        self.assert_silent(self.phone.request("ACK", f"sip:nobody@{self.server.domain}"))
        self.server.wait_metric("signpost_acks_total", 3)

    def test_malformed_ack_is_not_answered(self):
        ack = self.phone.request("ACK", self.bob)
        self.assert_silent(re.sub(rb"From: .*?\r\n", b"", ack))
        self.assert_silent(ack.replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1))

    def test_responses_are_dropped(self):
        branch = token()
        self.assert_silent(
            "SIP/2.0 200 OK\r\n"
            f"Via: SIP/2.0/UDP {self.phone.sent_by};branch=z9hG4bK{branch};rport\r\n"
            f"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: {branch}\r\n"
            "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode()
        )
        self.server.wait_metric('signpost_dropped_total{reason="response"}', 1)

    def test_keepalives_are_silent(self):
        for data in (b"\r\n\r\n", b"\r\n", b"\0\0\0\0"):
            self.assert_silent(data)
        self.server.wait_metric("signpost_keepalives_total", 3)

    def test_garbage_is_dropped(self):
        for data in (b"hello", b"\xff" * 100, bytes(range(128, 256)), b"GET / HTTP/1.1\r\n\r\n",
                     b"OPTIONS", b" ", b"\r\nx", b""):
            self.assert_silent(data)

    def test_request_without_via_is_dropped(self):
        self.assert_silent(re.sub(rb"Via: .*?\r\n", b"", self.phone.request("OPTIONS")))
        self.server.wait_metric('signpost_dropped_total{reason="no_via"}', 1)

    def test_stun_that_is_no_request_is_silent(self):
        success = struct.pack("!HHI", 0x0101, 0, STUN_COOKIE) + os.urandom(12)
        self.assert_silent(success)
        self.assert_silent(struct.pack("!HHI", 0x0001, 400, STUN_COOKIE) + os.urandom(12))


STUN_COOKIE = 0x2112A442


def stun_attributes(body):
    """[(type, value)] of a STUN message's body."""
    found = []
    while body:
        kind, length = struct.unpack("!HH", body[:4])
        found.append((kind, body[4 : 4 + length]))
        body = body[4 + (length + 3) // 4 * 4 :]
    return found


class Transport(Basics):
    """IPv4 and IPv6, several listeners, STUN, and answers that find their way through a NAT."""

    hosts = ("127.0.0.1", "::1", "127.0.0.1")

    def test_every_listener_serves_the_same_table_and_answers_from_its_own_address(self):
        self.registered(f"<{BOB_AT_HOME}>")
        for index, address in enumerate(self.server.listeners):
            client = self.client(self.server, listener=index)
            answer = client.call(self.bob)
            self.assertEqual((answer.status, answer.uris()), (302, [BOB_AT_HOME]))
            self.assertEqual(answer.source, address)

    def test_ipv6_literals_work_everywhere(self):
        client = self.client(self.server, listener=1)
        aor, contact = f"sip:carol@{client.domain}", "sip:carol@[2001:db8::1]:5072"
        answer = client.ask(client.register(aor, f"<{contact}>"))
        self.assertEqual((answer.status, answer.uris()), (200, [contact]))
        self.assertEqual(client.call(aor).uris(), [contact])
        self.assertEqual(answer.via()["received"].strip("[]"), "::1")
        self.assertEqual(answer.via()["rport"], str(client.port))

    def test_stun_binding_request_tells_the_clients_address(self):
        for index in range(len(self.hosts)):
            client = self.client(self.server, listener=index)
            transaction = os.urandom(12)
            client.send(struct.pack("!HHI", 0x0001, 0, STUN_COOKIE) + transaction)
            data, source = client.receive()
            self.assertEqual(source, self.server.listeners[index])
            kind, length, cookie = struct.unpack("!HHI", data[:8])
            self.assertEqual((kind, cookie, data[8:20]), (0x0101, STUN_COOKIE, transaction))
            self.assertEqual(length, len(data) - 20)
            value = dict(stun_attributes(data[20:]))[0x0020]
            family, port = struct.unpack("!xBH", value[:4])
            mask = data[4:20]
            address = bytes(a ^ b for a, b in zip(value[4:], mask))
            self.assertEqual(family, 2 if ":" in client.ip else 1)
            self.assertEqual(port ^ (STUN_COOKIE >> 16), client.port)
            self.assertEqual(str(ipaddress.ip_address(address)), client.ip)
        self.server.wait_metric("signpost_stun_requests_total", len(self.hosts))

    def test_rport_brings_the_answer_back_through_a_nat(self):
        # the Via names an address that is not the one the request comes from
        for sent_by in ("10.1.2.3:5060", "phone.invalid", "[2001:db8::7]:5061"):
            client = self.client(self.server, host=sent_by)
            answer = client.ask(client.request("OPTIONS"))
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.via()["received"], client.ip)
            self.assertEqual(answer.via()["rport"], str(client.port))
            self.assertTrue(answer.all("Via")[0].startswith(f"SIP/2.0/UDP {sent_by};"))

    def test_rport_is_filled_in_for_every_client_behind_one_nat(self):
        clients = [self.client(self.server, host="10.1.2.3:5060") for _ in range(8)]
        for client in clients:
            client.send(client.request("OPTIONS"))
        for client in clients:
            received = client.receive()
            self.assertIsNotNone(received)
            self.assertIn(f"rport={client.port}".encode(), received[0])
            self.assertIn(client.call_id.encode(), received[0])

    def test_without_rport_the_answer_goes_to_the_port_in_via(self):
        # RFC 3261 18.2.2: to the address the request came from, at the port of sent-by
        sender = self.client(self.server)
        listener = self.client(self.server)
        branch = f"z9hG4bK{token()}"
        via = f"SIP/2.0/UDP 10.9.9.9:{listener.port};branch={branch}"
        sender.send(sender.request("OPTIONS", via=via))
        data, source = listener.receive()
        self.assertIn(branch.encode(), data)
        self.assertIn(b"received=127.0.0.1", data)
        self.assertNotIn(b"rport=", data)
        self.assertEqual(source, self.server.address)

    def test_forged_received_and_rport_values_are_replaced(self):
        branch = f"z9hG4bK{token()}"
        via = f"SIP/2.0/UDP 10.1.2.3:5060;received=192.0.2.99;rport;branch={branch}"
        answer = self.phone.ask(self.phone.request("OPTIONS", via=via))
        self.assertEqual(re.findall(r"received=([^;]*)", answer.all("Via")[0]), ["127.0.0.1"])
        self.assertEqual(answer.via()["rport"], str(self.phone.port))


class Admitting(Basics):
    options = ("--register-from", "127.0.0.1/32")

    def test_a_peer_outside_register_from_may_call_but_not_register(self):
        self.registered(f"<{BOB_AT_HOME}>")
        stranger = self.client(self.server, source="127.0.0.2")
        answer = stranger.ask(stranger.register(self.bob, "<sip:eve@127.0.0.2>"))
        self.assertEqual(answer.status, 403, str(answer))
        self.assertEqual(stranger.ask(stranger.register(self.bob, "*", expires=0)).status, 403)
        self.assertEqual(stranger.ask(stranger.register(self.bob)).status, 403)
        self.assertEqual(stranger.call(self.bob).uris(), [BOB_AT_HOME])
        refused = 'signpost_register_refused_total{reason="not_admitted"}'
        self.server.wait_metric(refused, 3)

    def test_loopback_peers_may_register_by_default(self):
        server = self.start(hosts=("127.0.0.1", "::1"))
        for index, source in ((0, "127.0.0.2"), (1, "::1")):
            client = self.client(server, source=source, listener=index)
            aor = f"sip:dave@{client.domain}"
            self.assertEqual(client.ask(client.register(aor, "<sip:dave@192.0.2.4>")).status, 200)


class Operating(Basics):
    def test_healthz_says_ok(self):
        self.assertEqual(self.server.get("/healthz")[0], 200)
        self.assertEqual(self.server.get("/nowhere")[0], 404)

    def test_counters_move_with_the_traffic(self):
        self.assertEqual(self.server.requests(), {})
        self.registered(f"<{BOB_AT_HOME}>")
        self.redirected()
        self.phone.call(f"sip:nobody@{self.server.domain}")
        self.phone.send(b"\r\n\r\n")
        self.server.wait_metric("signpost_keepalives_total", 1)
        self.server.wait_metric("signpost_answers_sent_total", 3)
        counted = self.server.metrics()
        self.assertEqual(self.server.requests(), {"REGISTER": 1, "INVITE": 2})
        for code in (200, 302, 404):
            self.assertEqual(counted[f'signpost_responses_total{{code="{code}"}}'], 1, code)
        self.assertEqual(counted["signpost_datagrams_received_total"], 4)
        self.assertEqual((counted["signpost_bindings"], counted["signpost_aors"]), (1, 1))
        self.assertGreater(counted["signpost_received_bytes_total"], 3 * 200)

    def test_metrics_are_prometheus_text_with_help_and_type(self):
        _, body = self.server.get("/metrics")
        described = set(re.findall(r"^# HELP (\S+) \S", body, re.M))
        typed = dict(re.findall(r"^# TYPE (\S+) (counter|gauge|histogram)$", body, re.M))
        rows = (row.split("{")[0] for row in self.server.metrics())
        named = {re.sub("_seconds_(bucket|sum|count)$", "_seconds", row) for row in rows}
        self.assertGreater(len(named), 20)
        self.assertEqual(named, described)
        self.assertEqual(named, set(typed))

    def test_many_workers_answer_every_request_of_a_burst(self):
        server = self.start("-w", "8")
        clients = [self.client(server) for _ in range(20)]
        for client in clients:
            for index in range(10):
                aor = f"sip:u{client.port}-{index}@{server.domain}"
                contact = f"<sip:{client.port}-{index}@{address_text(client.ip, client.port)}>"
                self.assertEqual(client.ask(client.register(aor, contact)).status, 200)
        for client in clients:
            sent = {client.request("INVITE", f"sip:u{client.port}-{n}@{server.domain}"): n
                    for n in range(10)}
            for data in sent:
                client.send(data)
            for data, index in sent.items():
                answer = client.ask(data)
                self.assertEqual(answer.status, 302)
                self.assertIn(f"sip:{client.port}-{index}@", answer.uris()[0])
        server.wait_metric("signpost_bindings", 200)


if __name__ == "__main__":
    unittest.main()
