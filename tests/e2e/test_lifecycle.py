# SPDX-License-Identifier: Apache-2.0
"""Starting, refusing to start, and stopping: what an operator and a service manager see."""

import os
import pty
import signal
import socket
import subprocess
import threading
import unittest

from support import (Client, EndToEnd, PATIENCE_S, SANITIZER_REPORT, address_text, executable,
                     free_port)

REFUSED = 2
# signpostd's own options, for scripts rely on them (ARCHITECTURE.md, "Command line").
OPTIONS = ("-c, --config", "-l, --listen", "-d, --domain", "-w, --workers", "--store", "--admin",
           "--check-config", "--print-config", "-V, --version", "-h, --help")


def run(*arguments, cwd=None):
    """signpostd to its end: (exit status, standard output, lines on standard error)."""
    command = [executable("SIGNPOSTD"), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=PATIENCE_S, check=False)
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done.returncode, done.stdout, done.stderr.splitlines()


class Refusing(EndToEnd):
    """Every reason not to start is one line that names the thing, and exit status 2."""

    def assert_refused(self, *arguments, naming, cwd=None):
        status, output, lines = run(*arguments, cwd=cwd)
        self.assertEqual(status, REFUSED, lines)
        self.assertEqual(output, "")
        # the kernel's limit on receive buffers, which only root may exceed, is another matter
        lines = [line for line in lines if " warning: " not in line]
        self.assertEqual(len(lines), 1, "\n".join(lines))
        for thing in naming if isinstance(naming, tuple) else (naming,):
            self.assertIn(thing, lines[0])

    def test_bad_options(self):
        for arguments, naming in (
            (["--no-such-option"], "--no-such-option"),
            (["-x"], "-x"),
            (["--workers"], "workers"),
            (["--workers", "banana"], ("workers", "banana")),
            (["--workers", "-1"], ("workers", "-1")),
            (["--workers", "100000"], ("workers", "100000")),
            (["-w", ""], "workers"),
            (["--listen", "127.0.0.1:5060"], "127.0.0.1:5060"),
            (["--listen", "udp:127.0.0.1:99999"], "99999"),
            (["--listen", "udp:[::1:5060"], "udp:[::1:5060"),
            (["--listen", "carrier-pigeon:127.0.0.1:5060"], "carrier-pigeon"),
            (["--admin", "nowhere"], ("admin", "nowhere")),
            (["--store", "floppy"], ("store", "floppy")),
            (["--register-from", "10.0.0.0/33"], "10.0.0.0/33"),
            (["--expires-min-s", "0"], "expires-min-s"),
            (["--ring-slots", "1000"], ("ring-slots", "1000")),
            (["--receivers", "0"], ("receivers", "0")),
            (["--receivers", "3", "--workers", "2"], ("receivers", "--workers")),
            (["--cpus-workers", "1023"], ("1023", "cpus-workers")),
            (["--cpus-receivers", "1023"], ("1023", "cpus-receivers")),
            (["stray"], "stray"),
            (["--config", "/nonexistent/signpost.yaml"], "/nonexistent/signpost.yaml"),
        ):
            with self.subTest(" ".join(arguments)):
                self.assert_refused(*arguments, naming=naming)

    def test_contradicting_expiries(self):
        self.assert_refused("--expires-min-s", 600, "--expires-max-s", 300, naming="expires-m")

    def test_address_in_use(self):
        port = free_port()
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as other:
                other.bind((host, port))
                address = address_text(host, port)
                self.assert_refused("-l", f"udp:{address}", "--admin", "off", naming=address)

    def test_address_in_use_by_another_signpostd(self):
        server = self.start()
        listener = f"127.0.0.1:{server.port}"
        self.assert_refused("-l", f"udp:{listener}", "--admin", "off", naming=listener)
        admin = f"127.0.0.1:{server.admin_port}"
        self.assert_refused("-l", f"udp:127.0.0.1:{free_port()}", "--admin", admin, naming=admin)
        # and the one that was there first still serves
        client = self.client(server)
        self.assertEqual(client.ask(client.request("OPTIONS")).status, 200)

    def test_address_shared_by_another_signpostds_receivers(self):
        server = self.start("--receivers", 2, "-w", 2)
        listener = f"127.0.0.1:{server.port}"
        for receivers in 1, 2:
            self.assert_refused("-l", f"udp:{listener}", "--admin", "off", "-w", 2,
                                "--receivers", receivers, naming=listener)

    def test_second_listener_in_use_starts_nothing(self):
        server = self.start()
        taken, free = f"127.0.0.1:{server.port}", free_port()
        self.assert_refused("-l", f"udp:127.0.0.1:{free}", "-l", f"udp:{taken}",
                            "--admin", "off", naming=taken)

    def test_address_of_another_machine(self):
        address = f"192.0.2.123:{free_port()}"
        self.assert_refused("-l", f"udp:{address}", "--admin", "off", naming=address)


class Configuring(EndToEnd):
    def setUp(self):
        self.folder = self.directory()

    def write(self, text, name="signpost.yaml"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def good(self):
        self.sip, self.http = free_port(), free_port()
        return self.write(
            "# a comment\n"
            "listen:\n"
            f"  - udp:127.0.0.1:{self.sip}\n"
            "domain: [example.com, example.org]\n"
            "workers: 3\n"
            f"admin: 127.0.0.1:{self.http}\n"
            "expires-default-s: 1800\n"
        )

    def test_check_config_accepts_a_good_file(self):
        status, _, lines = run("--check-config", "--config", self.good())
        self.assertEqual(status, 0, lines)

    def test_check_config_names_file_and_line_of_what_is_wrong(self):
        for line, text, naming in (
            (2, "workers: 2\nexpires-min-s: never\n", "expires-min-s"),
            (3, "# one\nworkers: 2\nno-such-option: 1\n", "no-such-option"),
            (3, "listen:\n  - udp:127.0.0.1:5060\n  - udp:nowhere\n", "udp:nowhere"),
            (1, "workers: 9999\n", "9999"),
            (2, "workers: 1\nstore: memory: rocksdb\n", ""),
            (1, "workers: [1]\n", "workers"),
            (2, "admin:\n  port: 8060\n", "admin"),
        ):
            with self.subTest(text):
                path = self.write(text)
                status, output, lines = run("--check-config", "-c", path)
                self.assertEqual((status, output), (REFUSED, ""), lines)
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(f"{path}:{line}:", lines[0])
                self.assertIn(naming, lines[0])

    def test_a_bad_file_is_refused_alike_when_starting(self):
        path = self.write("workers: many\n")
        status, _, lines = run("-c", path)
        self.assertEqual((status, len(lines)), (REFUSED, 1), lines)
        self.assertIn(f"{path}:1:", lines[0])

    def test_print_config_prints_what_would_be_in_effect(self):
        status, printed, _ = run("-c", self.good(), "--workers", 5, "--print-config")
        self.assertEqual(status, 0)
        self.assertRegex(printed, r"(?m)^workers: 5\b")
        self.assertRegex(printed, r"(?m)^expires-default-s: 1800\b")
        self.assertIn("example.org", printed)
        again = self.write(printed, "printed.yaml")
        self.assertEqual(run("--check-config", "-c", again)[0], 0)
        self.assertEqual(run("-c", again, "--print-config")[:2], (0, printed))

    def test_a_file_configures_the_running_server(self):
        path = self.good()
        server = self.serve(["-c", path], [("127.0.0.1", self.sip)], self.http)
        server.wait_metric("signpost_workers", 3)
        client = self.client(server)
        answer = client.ask(client.register("sip:bob@example.com", "<sip:bob@192.0.2.1>"))
        self.assertEqual(answer.status, 200)
        self.assertIn(answer.expiries()["sip:bob@192.0.2.1"], range(1790, 1801))

    def test_version(self):
        for option in ("-V", "--version"):
            status, output, lines = run(option)
            self.assertEqual((status, lines), (0, []))
            self.assertRegex(output, r"^signpostd \d+\.\d+\.\d+\n$")

    def test_help_names_every_option(self):
        for option in ("-h", "--help"):
            status, output, lines = run(option)
            self.assertEqual((status, lines), (0, []))
            for words in OPTIONS:
                self.assertIn(words, output)


class Load:
    """Several callers that ask without end and count what they are told."""

    def __init__(self, server, callers=4, window=16):
        self._stop = threading.Event()
        self.window = window
        self.answers = [0] * callers
        self.moving = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(server.address, n), daemon=True)
            for n in range(callers)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, target, number):
        client = Client(target)
        try:
            while not self._stop.is_set():
                for _ in range(self.window):
                    client.send(client.request("INVITE", f"sip:nobody@{client.domain}"))
                while client.receive(0.05):
                    self.answers[number] += 1
                    if min(self.answers) > 100:
                        self.moving.set()
        finally:
            client.close()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)


class Stopping(EndToEnd):
    def test_sigterm_under_load_drains_and_exits_0(self):
        server = self.start("-w", "2")
        load = Load(server)
        self.addCleanup(load.stop)
        self.assertTrue(load.moving.wait(PATIENCE_S), f"answers: {load.answers}")
        server.terminate(signal.SIGTERM)  # asserts the exit status and the absence of reports

    def test_every_request_that_arrived_before_sigterm_is_answered(self):
        server = self.start("-w", "1")
        client = self.client(server)
        count = 100  # their answers fit into the client's receive buffer
        for _ in range(count):
            client.send(client.request("OPTIONS"))
        server.wait_metric("signpost_datagrams_received_total", count)
        server.terminate()
        answers = 0
        while client.receive(0.1):
            answers += 1
        self.assertEqual(answers, count)

    def test_ctrl_c_ends_it_alike(self):
        self.start().terminate(signal.SIGINT)

    def test_it_stops_while_somebody_reads_the_admin_page(self):
        server = self.start()
        with socket.create_connection(("127.0.0.1", server.admin_port), PATIENCE_S) as slow:
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
            server.terminate()

    def test_the_port_is_free_again_at_once(self):
        server = self.start()
        server.terminate()
        again = self.serve(server.arguments, server.listeners, server.admin_port)
        client = self.client(again)
        self.assertEqual(client.ask(client.request("OPTIONS")).status, 200)

    def test_it_survives_sighup_and_sigpipe(self):
        server = self.start()
        server.signal(signal.SIGHUP)
        server.signal(signal.SIGPIPE)
        client = self.client(server)
        self.assertEqual(client.ask(client.request("OPTIONS")).status, 200)


    def test_it_ends_when_its_terminal_hangs_up(self):
        command = [executable("SIGNPOSTD"), "--listen", f"udp:127.0.0.1:{free_port()}",
                   "--admin", "off"]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(command[0], command)
        shown = b""
        while b"ready" not in shown:
            shown += os.read(terminal, 4096)
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)


class Defaults(EndToEnd):
    def test_without_any_option_it_serves_on_loopback(self):
        for kind, port in ((socket.SOCK_DGRAM, 5060), (socket.SOCK_STREAM, 8060)):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    self.skipTest(f"port {port} is in use on this machine")
        server = self.serve([], [("127.0.0.1", 5060)], 8060, cwd=self.directory())
        client = self.client(server)
        answer = client.ask(client.register("sip:bob@anywhere.example", "<sip:bob@192.0.2.1>"))
        self.assertEqual(answer.status, 200)
        self.assertEqual(client.call("sip:bob@anywhere.example").uris(), ["sip:bob@192.0.2.1"])
        self.assertEqual(server.get("/healthz")[0], 200)


if __name__ == "__main__":
    unittest.main()
