# SPDX-License-Identifier: Apache-2.0
"""sipflood answers digest challenges as a phone does; a small registrar here asks and checks."""

import hashlib
import itertools
import json
import re
import socket
import threading
import unittest

from support import EndToEnd, executable, free_port, free_ports

USERS = 64
SOURCE_PORTS = 4
LOST_AFTER_S = 60
REALM = "sip.test"
PASSWORD = "open sesame"
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def digest(algorithm, *parts):
    return hashlib.new(HASHES[algorithm], ":".join(parts).encode()).hexdigest()


class Challenger(threading.Thread):
    """Answers each request without right credentials with these challenges, others as it should."""

    def __init__(self, port, challenges, status):
        super().__init__(daemon=True)
        self.challenges, self.status = challenges, status
        self.nonces = {}
        self.numbers = itertools.count()
        self.algorithms = set()
        self.mistakes = []
        self.acks = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.start()

    def run(self):
        while True:
            text, peer = self.socket.recvfrom(65536)
            if not text:
                self.socket.close()
                return
            answer = self.answer(text.decode())
            if answer:
                self.socket.sendto(answer.encode(), peer)

    def stop(self, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", port))
        self.join()

    def answer(self, text):
        head = text.partition("\r\n\r\n")[0].split("\r\n")
        method, uri, _ = head[0].split(" ")
        fields = dict(line.split(": ", 1) for line in head[1:])
        if method == "ACK":
            self.acks += 1
            return None
        name = "Authorization" if self.status == 401 else "Proxy-Authorization"
        lines = [f"{field}: {fields[field]}" for field in ("Via", "From", "Call-ID", "CSeq")]
        lines.append(f"To: {fields['To']};tag=x")
        cseq = int(fields["CSeq"].split()[0])
        if name not in fields:
            nonce = f"n{next(self.numbers)}"
            self.nonces[nonce] = (fields["Call-ID"], fields["From"], cseq)
            asking = "WWW-Authenticate" if self.status == 401 else "Proxy-Authenticate"
            lines += [f'{asking}: {challenge}, nonce="{nonce}"' for challenge in self.challenges]
            return "\r\n".join([f"SIP/2.0 {self.status} Who Are You", *lines, "", ""])
        if not self.right(method, uri, fields, name, cseq):
            return "\r\n".join(["SIP/2.0 403 Forbidden", *lines, "", ""])
        if method == "INVITE":
            lines.append(f"Contact: {self.callee(uri)}")
            return "\r\n".join(["SIP/2.0 302 Moved", *lines, "", ""])
        contact = f"Contact: {fields['Contact']};expires=60"
        return "\r\n".join(["SIP/2.0 200 OK", *lines, contact, "", ""])

    def callee(self, uri):
        user = re.match(r"sip:(u(\d+))@", uri)
        port = self.first_port + int(user[2]) // 32 % SOURCE_PORTS
        return f"<sip:{user[1]}@127.0.0.1:{port};transport=udp;ob>"

    def right(self, method, uri, fields, name, cseq):
        given = {key: quoted or plain for key, quoted, plain in
                 re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', fields[name])}
        algorithm = given.get("algorithm", "MD5")
        session = algorithm.endswith("-sess")
        plain = algorithm.removesuffix("-sess")
        user = re.search(r"sip:(u\d+)@", fields["From"])[1]
        secret = digest(plain, user, REALM, PASSWORD)
        if session:
            secret = digest(plain, secret, given["nonce"], given["cnonce"])
        use = [given["nc"], given["cnonce"], "auth"] if "qop" in given else []
        response = digest(plain, secret, given["nonce"], *use, digest(plain, method, uri))
        self.algorithms.add(algorithm)
        dialog = self.nonces.pop(given["nonce"], None)
        if (given["username"], given["realm"], given["uri"]) != (user, REALM, uri):
            self.mistakes.append(fields[name])
        if "qop" in given and given["nc"] != "00000001":
            self.mistakes.append(given["nc"])
        # RFC 3261 22.2 and 8.1.3.5: the same call, the next CSeq
        if dialog != (fields["Call-ID"], fields["From"], cseq - 1):
            self.mistakes.append(f"{dialog} then {fields['Call-ID']} {cseq}")
        return given["response"] == response


class Digest(EndToEnd):
    def flood(self, scenario, challenges, status=401, password=PASSWORD, more=()):
        """(exit status, counts, what the registrar saw)."""
        port = free_port()
        registrar = Challenger(port, challenges, status)
        registrar.first_port = free_ports(SOURCE_PORTS)
        command = [executable("SIPFLOOD"), scenario, "--target", f"127.0.0.1:{port}",
                   "--users", USERS, "--window", 8, "--timeout", LOST_AFTER_S, "--json",
                   "--ports", SOURCE_PORTS, "--local-port", registrar.first_port,
                   "--password", password, *more]
        process = self.spawn(command)
        exit_status = process.wait()
        registrar.stop(port)
        return exit_status, json.loads(process.lines[-1])["counts"], registrar

    def assert_answered(self, algorithm, challenges):
        exit_status, counts, registrar = self.flood("register", challenges)
        self.assertEqual((exit_status, counts["right"], counts["challenged"]), (0, USERS, USERS))
        self.assertEqual(registrar.algorithms, {algorithm})
        self.assertEqual(registrar.mistakes, [])

    def test_each_algorithm(self):
        for algorithm in HASHES:
            for variant in (algorithm, algorithm + "-sess"):
                with self.subTest(variant):
                    self.assert_answered(variant, [
                        f'Digest realm="{REALM}", qop="auth,auth-int", algorithm={variant}'])

    def test_without_algorithm_and_qop(self):
        self.assert_answered("MD5", [f'Digest realm="{REALM}", opaque="o"'])

    def test_the_first_challenge_that_can_be_answered(self):
        self.assert_answered("SHA-256", [
            f'Digest realm="{REALM}", qop="auth", algorithm=SHA3-256',
            f'Digest realm="{REALM}", qop="auth", algorithm=SHA-256',
            f'Digest realm="{REALM}", qop="auth", algorithm=MD5'])

    def test_many_rounds_keep_each_registrations_cseq_rising(self):
        exit_status, counts, registrar = self.flood(
            "refresh", [f'Digest realm="{REALM}", qop="auth"'], more=("--count", 5 * USERS))
        self.assertEqual((exit_status, counts["right"]), (0, 5 * USERS))
        self.assertEqual(registrar.mistakes, [])

    def test_an_invite_through_a_proxy_acknowledges_the_challenge_too(self):
        exit_status, counts, registrar = self.flood(
            "invite", [f'Digest realm="{REALM}", qop="auth", algorithm=MD5'], status=407)
        self.assertEqual((exit_status, counts["right"]), (0, USERS))
        self.assertEqual(registrar.mistakes, [])
        self.assertEqual(counts["acks"], 2 * USERS)
        self.assertEqual(registrar.acks, 2 * USERS)

    def test_a_wrong_password_is_a_wrong_answer(self):
        exit_status, counts, _ = self.flood(
            "register", [f'Digest realm="{REALM}", qop="auth"'], password="guess")
        self.assertEqual((exit_status, counts["wrong_status"], counts["lost"]), (1, USERS, 0))

    def test_a_challenge_nobody_can_answer_is_a_wrong_answer(self):
        exit_status, counts, _ = self.flood("register", [f'Basic realm="{REALM}"'])
        self.assertEqual((exit_status, counts["wrong_status"]), (1, USERS))
        self.assertEqual(counts["challenged"], 0)


if __name__ == "__main__":
    unittest.main()
