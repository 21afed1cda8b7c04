# SPDX-License-Identifier: Apache-2.0
"""The two demonstrations Signpost exists for, with real phones: two baresip on loopback.

1. Bob registers, and his phone says so.
2. CCF dials Bob's public address, is redirected, calls Bob directly; Bob's phone rings, CCF hears
   ringback, Bob answers, and media flows both ways without passing through the server.
"""

import ctypes
import json
import math
import os
import re
import shutil
import socket
import struct
import threading
import time
import unittest
import wave

from support import EndToEnd, PATIENCE_S, free_port, free_ports

MODULES = "/usr/lib/baresip/modules"  # where Debian puts them
RTP_PACKETS = 25  # half a second of speech, each way
MEDIA_RATE_HZ = 8000  # what G.711 takes, so that nothing needs resampling
MEDIA_PORTS = 10


def write_tone(path):
    """Ten seconds of a 440 Hz tone: longer than any call here."""
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(MEDIA_RATE_HZ)
        step = 2 * math.pi * 440 / MEDIA_RATE_HZ
        tone = (int(8000 * math.sin(step * n)) for n in range(10 * MEDIA_RATE_HZ))
        out.writeframes(b"".join(struct.pack("<h", sample) for sample in tone))


class Control:
    """baresip's ctrl_tcp: commands out, events in, both JSON in netstrings."""

    def __init__(self, port):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "baresip opens no control port"
                time.sleep(0.02)
        self._events = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        try:
            with self._socket.makefile("rb") as stream:
                while size := stream.read(1):
                    while not size.endswith(b":"):
                        size += stream.read(1)
                    message = json.loads(stream.read(int(size[:-1])))
                    assert stream.read(1) == b","
                    with self._changed:
                        self._events.append(message)
                        self._changed.notify_all()
        except (OSError, ValueError):
            pass  # the phone has gone

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the phone has closed it first
        self._reader.join(PATIENCE_S)
        self._socket.close()

    def command(self, name, argument=""):
        text = json.dumps({"command": name, "params": argument}).encode()
        self._socket.sendall(b"%d:%s," % (len(text), text))

    def wait(self, kind):
        """The first event of this type, now or later."""
        with self._changed:
            found = lambda: next((e for e in self._events if e.get("type") == kind), None)
            if not self._changed.wait_for(lambda: found() is not None, PATIENCE_S):
                seen = [event.get("type") for event in self._events]
                raise AssertionError(f"no {kind} from baresip, only {seen}")
            return found()

    def kinds(self):
        with self._changed:
            return [event.get("type") for event in self._events]


class Message:
    """One SIP message in a phone's trace."""

    def __init__(self, source, target, text):
        self.source, self.target, self.text = int(source), int(target), text
        self.start = text.split("\n", 1)[0].strip()
        self.cseq = re.search(r"^CSeq: (.*?)\r?$", text, re.M)[1]

    def __repr__(self):
        return f"{self.source} -> {self.target} {self.start} ({self.cseq})"


class Phone:
    """A baresip with its own configuration, SIP port, media ports and control port."""

    def __init__(self, test, name, server, tone, regint_s):
        self.name = name
        # baresip takes the port after its SIP port as well (TLS)
        self.port = free_ports(2)
        first = free_ports(MEDIA_PORTS)
        self.media_ports = range(first, first + MEDIA_PORTS)
        control = free_port()
        folder = test.directory()
        self.write(folder, "accounts", f"<sip:{name}@{server.domain}>;regint={regint_s}\n")
        self.write(folder, "contacts", "")
        self.write(folder, "config", f"""\
sip_listen 127.0.0.1:{self.port}
net_interface 127.0.0.1
rtp_ports {self.media_ports[0]}-{self.media_ports[-1]}
rtp_stats yes
audio_source aufile,{tone}
module_path {MODULES}
module g711.so
module aufile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
""")
        # line-buffered, or the trace would stay in baresip until it ends
        command = ["stdbuf", "-oL", "baresip", "-4", "-s", "-f", folder]
        self.process = test.spawn(command, cwd=folder)
        self.control = Control(control)
        test.addCleanup(self.control.close)
        self.process.wait_line("baresip is ready")

    @staticmethod
    def write(folder, name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(text)

    def trace(self):
        """The SIP messages this phone has sent and received, in order."""
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.process.output)
        found = re.finditer(
            r"^UDP 127\.0\.0\.1:(\d+) -> 127\.0\.0\.1:(\d+)\n((?:.+\n)+)", text, re.M
        )
        return [Message(*match.groups()) for match in found]

    def packets(self):
        """(sent, received): RTP packets as baresip counts them, printed when the call ends."""
        found = self.process.wait_line(r"^packets:\s+(\d+)\s+(\d+)")
        return int(found[1]), int(found[2])

    def quit(self):
        """As its user would: baresip removes its binding on the way out."""
        self.process.signal(15)
        self.process.wait()


ETH_P_ALL = 0x0003
SO_ATTACH_FILTER = 26


def port_filter(ranges):
    """A BPF program (classic, as for tcpdump) that passes UDP from or to one of the ports.

    Without it a load test at the same time would drown the capture.
    """
    load_byte, load_half, load_x, reject, accept = 0x30, 0x48, 0xB1, (0x06, 0, 0, 0), 65535
    jump_equal, jump_greater, jump_at_least = 0x15, 0x25, 0x35
    program = [(load_byte, 0, 0, 9), (jump_equal, 1, 0, socket.IPPROTO_UDP), reject]
    program.append((load_x, 0, 0, 0))  # x = length of the IP header
    for offset in (0, 2):
        program.append((load_half, 0, 0, offset))
        for first, last in ranges:
            program += [(jump_at_least, 0, 2, first), (jump_greater, 1, 0, last)]
            program.append((0x06, 0, 0, accept))
    program.append(reject)
    return b"".join(struct.pack("HBBI", *row) for row in program), len(program)


class Wire:
    """Datagrams on loopback from or to some ports, seen from outside both phones and server."""

    def __init__(self, ranges):
        code, rows = port_filter(ranges)
        self._code = ctypes.create_string_buffer(code, len(code))
        program = struct.pack("HP", rows, ctypes.addressof(self._code))
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        self._socket.bind(("lo", ETH_P_ALL))
        self._seen = []  # (source port, target port, payload)
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._stopped = False
        self._socket.settimeout(0.1)
        self._reader.start()

    def _read(self):
        while not self._stopped:
            try:
                data, where = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            if where[2] == socket.PACKET_OUTGOING:
                continue  # loopback shows every packet twice
            udp = data[(data[0] & 15) * 4 :]
            source, target, length = struct.unpack("!HHH", udp[:6])
            with self._changed:
                self._seen.append((source, target, udp[8:length]))
                self._changed.notify_all()

    def close(self):
        self._stopped = True
        self._reader.join(PATIENCE_S)
        self._socket.close()

    def seen(self):
        with self._changed:
            return list(self._seen)

    def rtp(self, sender, receiver):
        """How many RTP packets went from one phone's media ports to the other's."""
        return sum(
            1
            for source, target, payload in self.seen()
            if source in sender.media_ports and target in receiver.media_ports and is_rtp(payload)
        )

    def wait_rtp(self, sender, receiver, count):
        with self._changed:
            arrived = lambda: self.rtp(sender, receiver) >= count
            assert self._changed.wait_for(arrived, PATIENCE_S), (
                f"{self.rtp(sender, receiver)} RTP packets from {sender.name} to {receiver.name}"
            )


def is_rtp(payload):
    """Version 2, and not one of RTCP's packet types (RFC 5761 4)."""
    return len(payload) >= 12 and payload[0] >> 6 == 2 and payload[1] not in range(192, 224)


class Phones(EndToEnd):
    def setUp(self):
        self.assertTrue(shutil.which("baresip"), "no baresip here: apt-get install baresip-core")
        self.server = self.start()
        self.tone = os.path.join(self.directory(), "tone.wav")
        write_tone(self.tone)

    def phone(self, name, regint_s=0):
        return Phone(self, name, self.server, self.tone, regint_s)

    def bob_registers(self):
        bob = self.phone("bob", regint_s=600)
        # its event may have passed before the control connection stood; what it prints stays
        bob.process.wait_line(r"^bob@127\.0\.0\.1: .*200 OK .*\[1 binding\]")
        return bob

    def test_bob_registers_and_his_phone_says_so(self):
        bob = self.bob_registers()
        client = self.client(self.server)
        public = f"sip:bob@{self.server.domain}"
        answer = client.call(public)
        self.assertEqual(answer.status, 302)
        (contact,) = answer.uris()
        self.assertRegex(contact, rf"^sip:bob-[^@]*@127\.0\.0\.1:{bob.port}$")
        self.server.wait_metric("signpost_bindings", 1)

        # as the seed's phones call: a Request-URI that names nothing but the server
        answer = client.call(f"sip:{self.server.domain}", to=public)
        self.assertEqual((answer.status, answer.uris()), (302, [contact]))

        bob.quit()
        self.server.wait_metric("signpost_bindings_removed_total", 1)
        self.assertEqual(client.call(public).status, 404)

    def call(self, bob, ccf, talk):
        """CCF calls Bob's public address; they talk until talk() returns; CCF hangs up."""
        ccf.control.command("dial", f"sip:bob@{self.server.domain}")
        bob.control.wait("CALL_INCOMING")
        ccf.control.wait("CALL_RINGING")
        self.assertNotIn("CALL_ESTABLISHED", bob.control.kinds() + ccf.control.kinds())
        bob.control.command("accept")
        for phone in (bob, ccf):
            phone.control.wait("CALL_ESTABLISHED")
            phone.control.wait("CALL_RTPESTAB")
        talk()
        ccf.control.command("hangup")
        for phone in (bob, ccf):
            phone.control.wait("CALL_CLOSED")

    def assert_call_went_direct(self, bob, ccf):
        """What CCF's own trace says about who was asked what."""
        server = self.server.port
        steps = []
        for message in ccf.trace():
            step = (message.source, message.target, message.start.split(" sip:")[0])
            if step not in steps:  # a retransmission on a slow machine
                steps.append(step)
        self.assertEqual(
            [step for step in steps if server in step[:2]],
            [
                (ccf.port, server, "INVITE"),
                (server, ccf.port, "SIP/2.0 302 Moved Temporarily"),
                (ccf.port, server, "ACK"),
            ],
        )
        direct = [step for step in steps if server not in step[:2]]
        self.assertEqual(direct[0], (ccf.port, bob.port, "INVITE"))
        self.assertEqual(direct[1], (bob.port, ccf.port, "SIP/2.0 180 Ringing"))
        self.assertRegex(direct[2][2], "^SIP/2.0 200 ")
        self.assertEqual(direct[3], (ccf.port, bob.port, "ACK"))
        self.assertEqual(direct[4], (ccf.port, bob.port, "BYE"))

    def assert_server_saw_no_more(self, ccf):
        """One INVITE and one ACK, or as often as a slow machine made CCF repeat them."""
        sent = [m.start.split(" ")[0] for m in ccf.trace() if m.target == self.server.port]
        self.server.wait_metric("signpost_acks_total", sent.count("ACK"))
        requests = self.server.requests()
        registers = requests.pop("REGISTER")
        self.assertEqual(requests, {"INVITE": sent.count("INVITE"), "ACK": sent.count("ACK")})
        received = self.server.metric("signpost_datagrams_received_total")
        self.assertEqual(received, registers + len(sent))

    def test_ccf_dials_bobs_public_address_and_they_talk_directly(self):
        bob, ccf = self.bob_registers(), self.phone("ccf")
        # Each has heard the other's first packet before they may talk (CALL_RTPESTAB).
        self.call(bob, ccf, talk=lambda: None)
        for phone in (bob, ccf):
            sent, received = phone.packets()
            self.assertGreater(sent, 0, f"{phone.name} sent no RTP")
            self.assertGreater(received, 0, f"{phone.name} received no RTP")
        self.assert_call_went_direct(bob, ccf)
        self.assert_server_saw_no_more(ccf)

    def test_not_one_rtp_packet_passes_through_the_server(self):
        bob, ccf = self.bob_registers(), self.phone("ccf")
        ports = [(p, p) for p in (self.server.port, bob.port, ccf.port)]
        media = [(phone.media_ports[0], phone.media_ports[-1]) for phone in (bob, ccf)]
        try:
            wire = Wire(ports + media)
        except PermissionError:
            self.skipTest("capturing on loopback needs CAP_NET_RAW (run as root)")
        self.addCleanup(wire.close)

        def talk():
            wire.wait_rtp(bob, ccf, RTP_PACKETS)
            wire.wait_rtp(ccf, bob, RTP_PACKETS)

        self.call(bob, ccf, talk)
        server = self.server.port
        through = [row for row in wire.seen() if server in row[:2]]
        self.assertGreaterEqual(len(through), 3, "INVITE, 302 and ACK at least")
        for source, target, payload in through:
            start = payload.split(b"\r\n")[0]
            self.assertRegex(start, rb"^(INVITE|ACK) sip:|^SIP/2.0 302 ")
        direct = [(bob.media_ports, ccf.media_ports), (ccf.media_ports, bob.media_ports)]
        for source, target, payload in wire.seen():
            if is_rtp(payload):
                between_phones = any(source in a and target in b for a, b in direct)
                self.assertTrue(between_phones, f"RTP from port {source} to {target}")


if __name__ == "__main__":
    unittest.main()
