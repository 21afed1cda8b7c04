# SPDX-License-Identifier: Apache-2.0
"""The three that are compared. Each is started for one measurement, pinned to its core, in a
session of its own, and stopped by its process id."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import machine

HOST = "127.0.0.1"
START_S_MAX = 30
STOP_S_MAX = 60
LIFE_S_MAX = 3600

PROBE = ("OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bKready{n}\r\n"
         "Max-Forwards: 70\r\nFrom: <sip:probe@{host}>;tag=1\r\nTo: <sip:{host}>\r\n"
         "Call-ID: ready{n}@{host}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


class Server:
    """One server process (and its children), from `with` to the end of the block."""

    name = ""
    checks = True  # it answers SIP, so answers are checked
    bytes_per_binding = 600  # room to have for each; what it takes is measured

    def __init__(self, bench, **how):
        self.bench = bench
        self.how = how
        self.process = None
        self.folder = None

    def command(self):
        raise NotImplementedError

    @property
    def target(self):
        return f"{HOST}:{self.bench.port}"

    def start(self, both_cores=False):
        cores = str(self.bench.server_core)
        if both_cores:
            cores += f",{self.bench.generator_core}"
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", cores, *self.command()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="signpost-compare-")
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in machine.session(self.process.pid):  # children that their parent left behind
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until_ready(self):
        """Asks until there is an answer."""
        deadline = time.monotonic() + START_S_MAX
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.bind((HOST, 0))
            asking.settimeout(0.05)
            for n in range(10 ** 6):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    log = machine.read(os.path.join(self.folder, "log"))
                    raise RuntimeError(f"{self.name} does not start:\n{log}")
                text = PROBE.format(host=HOST, port=asking.getsockname()[1], n=n)
                try:
                    asking.sendto(text.encode(), (HOST, self.bench.port))
                    asking.recv(65535)
                    return
                except TimeoutError:
                    pass
                except ConnectionRefusedError:
                    time.sleep(0.02)

    def pids(self):
        return machine.session(self.process.pid)

    def cpu_s(self):
        return machine.cpu_s(self.pids())

    def resident_bytes(self):
        return machine.resident_bytes(self.pids())


class Echo(Server):
    name = "echo"
    checks = False

    def command(self):
        return [self.bench.program("udpecho"), self.target, "--duration", str(LIFE_S_MAX)]


class Signpost(Server):
    name = "signpost"

    def command(self):
        mode = "stateful" if self.how.get("stateful") else "stateless"
        durability = self.how.get("durability", "memory")
        store = ["--store", "memory"] if durability == "memory" else \
                ["--store", f"rocksdb:{self.folder}/store", "--durability", durability]
        return [self.bench.program("signpostd"), "--listen", f"udp:{self.target}",
                "--workers", "1", "--admin", self.how.get("admin", "off"),
                "--transactions", mode, "--expires-min-s", "1", "--expires-max-s", "86400", *store,
                "--udp-trains", "on" if self.how.get("trains") else "off"]


class Kamailio(Server):
    name = "kamailio"
    bytes_per_binding = 1500
    stateful_bytes = 3 << 30

    def command(self):
        config = os.path.join(os.path.dirname(__file__), "kamailio.cfg")
        shared = (1 << 30) + self.how.get("users", 0) * self.bytes_per_binding
        stateful = []
        if self.how.get("stateful"):
            shared += self.stateful_bytes
            stateful = ["-A", "STATEFUL"]
        modules = glob.glob("/usr/lib/*/kamailio/modules")
        return ["kamailio", "-DD", "-E", "-f", config, "-L", *modules[:1],
                "-l", f"udp:{self.target}", "-n", str(self.how.get("children", 1)),
                "-m", str(shared >> 20), "-M", "64", "-b", str(machine.BUFFER_BYTES),
                "-Y", self.folder, "-w", self.folder,
                "-P", os.path.join(self.folder, "pid"), *stateful]


ALL = (Echo, Kamailio, Signpost)
