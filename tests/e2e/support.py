# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the real server as a child process, and a small SIP client.

Nothing here sleeps for a fixed time to let something happen: it waits for the event (a log line, an
answer, a counter) and gives up after PATIENCE_S, which is only ever reached when the event does not
come at all. A slow machine makes a test slower, never red.
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

PATIENCE_S = 60.0
# A client repeats its request over UDP (RFC 3261 17.1), so that one lost datagram is no failure. It
# does so far later than a phone would: a slow machine must not change what the counters say.
RETRANSMIT_S = 15.0
# Below Linux' ephemeral ports, so that nobody gets one of ours by binding to port 0.
PORTS = range(20000, 32000)

SANITIZER_REPORT = re.compile(
    r"(Address|Leak|Thread|UndefinedBehavior|Memory)Sanitizer|runtime error: |Assertion .* failed"
)


def executable(variable):
    """The program that ctest names in this environment variable."""
    path = os.environ.get(variable)
    if not path:
        sys.exit(f"{variable} must name the program to test (ctest sets it)")
    return os.path.abspath(path)


# ------------------------------------------------------------------------------------------ ports

_reservations = []  # held until this process ends


def _reserve(port):
    """True when this process now owns the port among all tests that run at the same time.

    The owner of an abstract socket's name is a lock that vanishes with its process and leaves no
    file behind.
    """
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0signpost-e2e-port-{port}")
    except OSError:
        lock.close()
        return False
    _reservations.append(lock)
    return True


def _is_free(port):
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(family, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                try:
                    probe.bind((address, port))
                except OSError:
                    return False
    return True


def free_ports(count):
    """The first of `count` consecutive ports that nobody uses, UDP and TCP, IPv4 and IPv6.

    It is even, as RTP wants its ports.
    """
    while True:
        first = random.randrange(PORTS.start, PORTS.stop - count, 2)
        if all(_reserve(port) and _is_free(port) for port in range(first, first + count)):
            return first


def free_port():
    return free_ports(1)


def address_text(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


# --------------------------------------------------------------------------------- child processes


class Process:
    """A child process whose output is kept, line by line, and which dies with this one."""

    def __init__(self, command, cwd=None, capture_stdout=True):
        # setpriv makes the kernel end the child when this process is killed (a ctest timeout).
        self.command = [str(word) for word in command]
        self.lines = []
        self._changed = threading.Condition()
        self._popen = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *self.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture_stdout else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if capture_stdout else subprocess.PIPE,
            cwd=cwd,
        )
        self._pipe = self._popen.stdout if capture_stdout else self._popen.stderr
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self._popen.pid

    @property
    def output(self):
        with self._changed:
            return "\n".join(self.lines)

    def _read(self):
        for line in self._pipe:
            with self._changed:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_line(self, pattern, timeout_s=PATIENCE_S):
        """The match of the first line that contains the pattern, now or later."""
        seen = 0
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    match = re.search(pattern, line)
                    if match:
                        return match
                seen = len(self.lines)
                left = deadline - time.monotonic()
                if self._closed or left <= 0:
                    why = "its output ended" if self._closed else f"{timeout_s:.0f} s passed"
                    text = "\n".join(self.lines)
                    raise AssertionError(f"{self.command[0]}: no /{pattern}/, {why}:\n{text}")
                self._changed.wait(left)

    def wait(self, timeout_s=PATIENCE_S):
        """The exit status, once it has ended and all its output is read."""
        status = self._popen.wait(timeout_s)
        self._reader.join(timeout_s)
        return status

    def running(self):
        return self._popen.poll() is None

    def signal(self, number):
        self._popen.send_signal(number)

    def discard(self):
        """Ends it at once if it still runs, and closes its pipe. Always legal."""
        if self.running():
            self._popen.kill()
        self._popen.wait()
        self._reader.join(PATIENCE_S)
        self._pipe.close()


class Server(Process):
    """signpostd, which these arguments make serve at these addresses.

    It serves when the constructor returns, unless there is no line to wait for. The prefix is a
    program that becomes the server.
    """

    killed = False

    def __init__(self, arguments, listeners, admin_port, cwd=None, prefix=(), ready=r"\bready\b"):
        self.arguments, self.listeners, self.admin_port = arguments, listeners, admin_port
        super().__init__([*prefix, executable("SIGNPOSTD"), *arguments], cwd=cwd,
                         capture_stdout=False)
        try:
            if ready:
                self.wait_line(ready)
        except AssertionError:
            self.discard()
            raise

    @property
    def address(self):
        return self.listeners[0]

    @property
    def port(self):
        return self.listeners[0][1]

    @property
    def domain(self):
        """Host and port as they stand in a URI that names this server."""
        return address_text(*self.address)

    def get(self, path):
        """(status, body) of the admin page."""
        url = f"http://127.0.0.1:{self.admin_port}{path}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()

    def metrics(self):
        """{'signpost_requests_total{method="INVITE"}': 1.0, ...} as served now."""
        status, body = self.get("/metrics")
        assert status == 200, f"/metrics answers {status}: {body}"
        rows = {}
        for line in body.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                assert name not in rows, f"/metrics says {name} twice"
                rows[name] = float(value)
        return rows

    def metric(self, name):
        return self.metrics()[name]

    def requests(self):
        """{method: well-formed requests received}, without those never seen."""
        pattern = re.compile(r'signpost_requests_total\{method="(.*)"\}')
        rows = ((pattern.fullmatch(name), value) for name, value in self.metrics().items())
        return {match[1]: int(value) for match, value in rows if match and value}

    def wait_metric(self, name, value):
        """Until the counter has this value, for good: then one more would be seen as well.

        A worker counts an answer after sending it, so a client may be faster than the counter.
        """
        deadline = time.monotonic() + PATIENCE_S
        while (seen := self.metric(name)) < value and time.monotonic() < deadline:
            time.sleep(0.02)
        assert seen == value, f"{name} is {seen:.0f}, expected {value}"

    def kill(self):
        """Ends it without a warning, as a crash does."""
        self.killed = True
        self.discard()
        self.assert_unreported()

    def end(self):
        """terminate(), unless the test has ended it in its own way."""
        if not self.killed:
            self.terminate()

    def terminate(self, number=signal.SIGTERM):
        """Ends it as an operator would; it must obey, cleanly and without a sanitizer's report."""
        if self.running():
            self.signal(number)
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs {PATIENCE_S:.0f} s after SIGTERM") from None
        finally:
            self.discard()
        self.assert_unreported()
        assert status == 0, f"exit status {status} instead of 0:\n{self.output}"

    def assert_unreported(self):
        report = SANITIZER_REPORT.search(self.output)
        assert not report, f"sanitizer report or failed assertion:\n{self.output}"


class EndToEnd(unittest.TestCase):
    """A test case that starts servers, and shows their logs when it fails."""

    maxDiff = None

    def run(self, result=None):
        self.processes = []
        red = (lambda: len(result.failures) + len(result.errors)) if result else (lambda: 0)
        before = red()
        # What a server keeps that names no directory is kept here.
        with tempfile.TemporaryDirectory(prefix="signpost-e2e-") as state:
            os.environ["STATE_DIRECTORY"] = state
            super().run(result)
        if red() > before:
            for process in self.processes:
                tail = "\n    ".join(process.lines[-200:])
                print(f"--- {self.id()}: {' '.join(process.command)}\n    {tail}", file=sys.stderr)
        return result

    def start(self, *options, hosts=("127.0.0.1",), **how):
        """A server on ports of its own, with a listener at each of the hosts. Unless the options
        say otherwise it keeps nothing, and drops nothing for its age, for a slow machine is no
        fault."""
        listeners = [(host, free_port()) for host in hosts]
        admin_port = free_port()
        arguments = ["--admin", f"127.0.0.1:{admin_port}", "--drop-after-ms", "60000",
                     "--store", "memory", *options]
        for address in listeners:
            arguments += ["--listen", f"udp:{address_text(*address)}"]
        return self.serve(arguments, listeners, admin_port, **how)

    def serve(self, arguments, listeners, admin_port, **how):
        """A server that is stopped and judged (exit status, sanitizers) after the test."""
        server = Server(arguments, listeners, admin_port, **how)
        self.processes.append(server)
        self.addCleanup(server.end)
        return server

    def spawn(self, command, **how):
        """Any other program, ended after the test."""
        process = Process(command, **how)
        self.processes.append(process)
        self.addCleanup(process.discard)
        return process

    def client(self, server, host=None, source=None, listener=0):
        """A SIP client of one of the server's listeners."""
        client = Client(server.listeners[listener], host=host, source=source)
        self.addCleanup(client.close)
        return client

    def directory(self):
        """An empty directory that vanishes with the test."""
        path = tempfile.mkdtemp(prefix="signpost-e2e-")
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path


# --------------------------------------------------------------------------------------------- SIP


class Answer:
    """A response, taken apart far enough to be looked at."""

    def __init__(self, data, source):
        self.data = data
        self.source = source
        head, _, self.body = data.partition(b"\r\n\r\n")
        unfolded = re.sub(rb"\r\n[ \t]+", b" ", head)
        start, *rows = unfolded.decode("utf-8", "replace").split("\r\n")
        version, status, self.reason = start.split(" ", 2)
        assert version == "SIP/2.0", start
        self.status = int(status)
        self.headers = []
        for row in rows:
            name, colon, value = row.partition(":")
            assert colon, f"header without a colon: {row}"
            self.headers.append((name.strip().lower(), value.strip()))

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def one(self, name):
        values = self.all(name)
        assert len(values) == 1, f"{len(values)} {name} header fields in:\n{self.data.decode()}"
        return values[0]

    def tokens(self, name):
        """The elements of a comma-separated header field that quotes nothing."""
        return [token.strip() for value in self.all(name) for token in value.split(",")]

    def contacts(self):
        """[(URI, {parameter: value})] in their order."""
        found = []
        for value in self.all("Contact"):
            for match in re.finditer(r'(?:"[^"]*"\s*)?<([^>]*)>([^,"]*(?:"[^"]*"[^,"]*)*)', value):
                found.append((match[1], parameters(match[2])))
        return found

    def uris(self):
        return [uri for uri, _ in self.contacts()]

    def expiries(self):
        """{URI: seconds left}."""
        return {uri: int(found["expires"]) for uri, found in self.contacts()}

    def to_tag(self):
        return parameters(self.one("To").rpartition(">")[2]).get("tag")

    def via(self):
        """Parameters of the topmost Via."""
        return parameters(self.all("Via")[0])

    def __str__(self):
        return self.data.decode("utf-8", "replace")


def parameters(text):
    """{'rport': '5060', 'lr': ''} of ';rport=5060;lr'."""
    found = {}
    for part in text.split(";")[1:]:
        name, _, value = part.partition("=")
        found[name.strip().lower()] = value.strip()
    return found


def token(bits=64):
    return f"{random.getrandbits(bits):0{bits // 4}x}"


class Client:
    """A UDP socket that speaks SIP to one address of the server.

    It is not connected: the kernel then hands over answers from any source, and a test can see
    where one came from. `host` is what the Via says when it is not the true address.
    """

    def __init__(self, target, host=None, source=None):
        self.target = target
        v6 = ":" in target[0]
        self.socket = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source or ("::1" if v6 else "127.0.0.1"), 0))
        self.ip, self.port = self.socket.getsockname()[:2]
        self.sent_by = host or address_text(self.ip, self.port)
        self.call_id = f"{token()}@e2e"
        self.cseq = 0

    def close(self):
        self.socket.close()

    @property
    def domain(self):
        return address_text(*self.target)

    def request(self, method, uri=None, *, to=None, sender=None, call_id=None, cseq=None,
                branch=None, via=None, to_tag=None, rows=(), body=b""):
        """The bytes of a request; each call is a new transaction unless it says otherwise."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        uri = uri or f"sip:{self.domain}"
        branch = branch or f"z9hG4bK{token()}"
        via = via or f"SIP/2.0/UDP {self.sent_by};rport;branch={branch}"
        tag = f";tag={to_tag}" if to_tag else ""
        head = [
            f"{method} {uri} SIP/2.0",
            f"Via: {via}",
            "Max-Forwards: 70",
            f"From: <{sender or f'sip:caller@{self.domain}'}>;tag={token(32)}",
            f"To: <{to or uri}>{tag}",
            f"Call-ID: {call_id or self.call_id}",
            f"CSeq: {cseq} {method}",
            *rows,
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*head, "", ""]).encode() + body

    def register(self, aor, *contacts, expires=None, rows=(), **how):
        """The bytes of a REGISTER of this address of record at its own domain."""
        rows = [f"Contact: {contact}" for contact in contacts] + list(rows)
        if expires is not None:
            rows.append(f"Expires: {expires}")
        host = aor.rpartition("@")[2]
        return self.request("REGISTER", f"sip:{host}", to=aor, sender=aor, rows=rows, **how)

    def send(self, data):
        self.socket.sendto(data, self.target)

    def receive(self, timeout_s=PATIENCE_S):
        """The next datagram and its source, or None."""
        self.socket.settimeout(timeout_s)
        try:
            data, source = self.socket.recvfrom(65535)
        except TimeoutError:
            return None
        return data, source[:2]

    def ask(self, data):
        """The answer to a request, which is repeated until it comes."""
        match = re.search(rb"branch=([^;,\s]+)", data)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.send(data)
            answer = self._answer(match[1] if match else b"", time.monotonic() + RETRANSMIT_S)
            if answer:
                return answer
        text = data.decode(errors="replace")
        raise AssertionError(f"no answer in {PATIENCE_S:.0f} s to:\n{text}")

    def _answer(self, branch, until):
        while (left := until - time.monotonic()) > 0:
            received = self.receive(left)
            # an answer to an earlier transmission of another request is not the one wanted
            if received and branch in received[0]:
                return Answer(*received)
        return None

    def call(self, uri, **how):
        return self.ask(self.request("INVITE", uri, **how))
