# SPDX-License-Identifier: Apache-2.0
"""What the tests of the store share: servers that keep their bindings in a directory of the test,
faults between them and their disk, and a mount namespace for disks of its own."""

import hashlib
import json
import os
import random
import subprocess
import time
import unittest
import urllib.error

from support import EndToEnd, PATIENCE_S, SANITIZER_REPORT, executable

REFUSED = 2


def wait_until(true, what):
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"{PATIENCE_S:.0f} s have passed, and not yet: {what}"
        time.sleep(0.02)


def held(server):
    """{address of record: {contact: seconds left}} that the server has."""
    status, body = server.get("/bindings")
    assert status == 200, f"/bindings answers {status}"
    found = {}
    for line in body.splitlines():
        row = json.loads(line)
        found.setdefault(row["aor"], {})[row["contact"]] = row["expires"]
    return found


def answers(server):
    """Whether its admin page can be reached: it has started, and is not yet ending."""
    try:
        return server.get("/healthz")[0] == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def contents(directory):
    """{path: hash of what is in it}, of all files."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, directory)] = hashlib.sha256(file.read()).hexdigest()
    return found


def data_files(directory, ending):
    """Paths of RocksDB's files, the oldest first, the empty ones left out."""
    paths = (os.path.join(directory, name) for name in os.listdir(directory)
             if name.endswith(ending))
    return sorted(path for path in paths if os.path.getsize(path) > 0)


def contact(number):
    return f"sip:phone{number}@192.0.2.1"


class Stores(EndToEnd):
    def setUp(self):
        self.folder = self.directory()
        self.store = os.path.join(self.folder, "store")

    def keep(self, durability="sync", *options, **how):
        """A server that keeps its bindings in self.store."""
        return self.start("--store", f"rocksdb:{self.store}", "--durability", durability,
                          *options, **how)

    def again(self, server, **how):
        """One with the same options, after the other has ended."""
        return self.serve(server.arguments, server.listeners, server.admin_port, **how)

    def assert_refused(self, server, *naming):
        """One with the same options says so in one line, which is returned, and ends."""
        done = subprocess.run([executable("SIGNPOSTD"), *map(str, server.arguments)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertFalse(SANITIZER_REPORT.search(done.stderr), done.stderr)
        lines = [line for line in done.stderr.splitlines() if "rmem_max" not in line
                 and "wmem_max" not in line]
        self.assertEqual((done.returncode, len(lines)), (REFUSED, 1), done.stderr)
        for words in (self.store, *naming):
            self.assertIn(words, lines[0])
        return lines[0]

    def ask_register(self, client, user, *contacts, **how):
        return client.ask(client.register(f"sip:{user}@kept.test", *contacts,
                                          call_id=f"{user}@phone", **how))

    def bind(self, server, numbers):
        """Binds a user to a contact each."""
        client = self.client(server)
        for number in numbers:
            answer = self.ask_register(client, f"u{number}", f"<{contact(number)}>")
            self.assertEqual(answer.status, 200, answer)

    def assert_held(self, server, numbers):
        self.assertEqual({aor: set(found) for aor, found in held(server).items()},
                         {f"u{number}@kept.test": {contact(number)} for number in numbers})

    def assert_redirects(self, server, numbers):
        client = self.client(server)
        for number in numbers:
            self.assertEqual(client.call(f"sip:u{number}@kept.test").uris(), [contact(number)])

    def damage(self, path):
        with open(path, "r+b") as file:
            where = file.read().index(b"192.0.2.1")
            file.seek(where)
            file.write(b"?")

    def file_with(self, user):
        for path in data_files(self.store, ".sst"):
            with open(path, "rb") as file:
                if user.encode() in file.read():
                    return path
        raise AssertionError(f"no file has {user}")

    def settle(self, server):
        """Until all changes are on disk, or let go."""
        wait_until(lambda: server.metric("signpost_store_waiting_bytes") == 0, "an empty queue")

    def wait_healed(self, server):
        wait_until(lambda: server.metric("signpost_store_up") == 1, "a store that works again")
        server.wait_line("bindings are kept again")

    def assert_told_once(self, server, *naming):
        """One line says that nothing is kept, however often it was tried."""
        told = [line for line in server.output.splitlines() if "are not kept" in line]
        self.assertEqual(len(told), 1, server.output)
        for words in naming:
            self.assertIn(words, told[0])


# ------------------------------------------------------------------------------------------ faults


def preloading(name, path):
    """For a server's command line: name.c comes between it and its disk, and has this file."""
    return ("env", f"LD_PRELOAD={executable(name)}", f"{name}_FILE={path}",
            f"ASAN_OPTIONS=verify_asan_link_order=0:{os.environ.get('ASAN_OPTIONS', '')}")


class Power:
    """A machine whose power can be cut. Of each file of the store what power.c has noted is left
    then; of what was written later any pages, up to any length, and zeros between. Files that
    RocksDB gives their name when they are whole stay as they are."""

    PAGE_BYTES = 4096

    def __init__(self, folder):
        self._notes = os.path.join(folder, "power")
        self.prefix = preloading("POWER", self._notes)

    def cut(self, store):
        """When the server is dead. Returns how many bytes are gone."""
        synced, left, gone = {}, {}, 0
        with open(self._notes, encoding="utf-8") as notes:
            for line in notes:
                size, path = line.rstrip("\n").split(" ", 1)
                synced[os.path.basename(path)] = int(size)
        for name in os.listdir(store):
            if name.endswith((".log", ".sst")) or name.startswith("MANIFEST-"):
                path = os.path.join(store, name)
                gone += self._cut_file(path, min(os.path.getsize(path), synced.get(name, 0)))
                left[name] = os.path.getsize(path)
        with open(self._notes, "w", encoding="utf-8") as notes:
            notes.writelines(f"{size} {name}\n" for name, size in left.items())
        return gone

    def _cut_file(self, path, synced):
        size = os.path.getsize(path)
        length = random.choice((synced, random.randint(synced, size)))
        os.truncate(path, length)
        gone = size - length
        with open(path, "r+b") as file:
            for page in range(synced - synced % self.PAGE_BYTES, length, self.PAGE_BYTES):
                start = max(page, synced)
                if random.random() < 0.3:
                    file.seek(start)
                    gone += file.write(bytes(min(page + self.PAGE_BYTES, length) - start))
        return gone


class Stall:
    """What stall.c does between a server and its disk."""

    def __init__(self, folder):
        self._path = os.path.join(folder, "stall")
        self.prefix = preloading("STALL", self._path)

    def begin(self, word):
        with open(f"{self._path}.new", "w", encoding="ascii") as file:
            file.write(word)
        os.rename(f"{self._path}.new", self._path)

    def end(self):
        if os.path.exists(self._path):
            os.remove(self._path)


class Mounts:
    """A mount namespace, which ends with this process; what is mounted there nobody else sees."""

    def __init__(self, case):
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = ["unshare", *user, "--mount", "--propagation", "private", "cat"]
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        case.addCleanup(self._end)
        try:
            self._popen.stdin.write("there\n")
            self._popen.stdin.flush()
        except BrokenPipeError:
            pass
        if self._popen.stdout.readline() != "there\n":
            raise unittest.SkipTest("no mount namespace here: "
                                    + self._popen.stderr.read().strip())
        credentials = ["--user", "--preserve-credentials"] if user else []
        self.prefix = ("nsenter", f"--target={self._popen.pid}", *credentials, "--mount", "--")

    def _end(self):
        self._popen.kill()
        self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                pass

    def path(self, path):
        """As it is seen from outside."""
        return f"/proc/{self._popen.pid}/root{path}"

    def run(self, *command):
        done = subprocess.run([*self.prefix, *map(str, command)], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest(f"not permitted here: {' '.join(command)}: {done.stderr}")
