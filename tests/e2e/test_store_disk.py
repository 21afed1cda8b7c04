# SPDX-License-Identifier: Apache-2.0
"""The store on disks that are read-only, full or frozen, for real: mounted for the test alone,
where the machine permits that."""

import os
import subprocess
import unittest

from stores import Mounts, Stores, held, wait_until
from support import PATIENCE_S


class Disk(Stores):
    def setUp(self):
        super().setUp()
        self.mounts = Mounts(self)
        self.disk = os.path.join(self.folder, "disk")
        os.mkdir(self.disk)
        self.store = os.path.join(self.disk, "store")

    def keep(self, durability="sync", *options, **how):
        return super().keep(durability, *options, prefix=self.mounts.prefix, **how)

    def again(self, server, **how):
        return super().again(server, prefix=self.mounts.prefix, **how)


class ReadOnly(Disk):
    def setUp(self):
        super().setUp()
        self.mounts.run("mount", "--bind", self.disk, self.disk)

    def remount(self, how):
        self.mounts.run("mount", "-o", f"remount,bind,{how}", self.disk)

    def test_it_is_loaded_and_served_and_told_once(self):
        for durability in ("sync", "async"):
            with self.subTest(durability):
                self.setUp()
                server = self.keep(durability)
                self.bind(server, range(5))
                server.terminate()
                self.remount("ro")
                server = self.again(server)
                self.assert_held(server, range(5))
                self.assert_redirects(server, range(5))
                client = self.client(server)
                answer = self.ask_register(client, "u5", "<sip:phone5@192.0.2.1>")
                self.assertEqual(answer.status, 503 if durability == "sync" else 200, answer)
                wait_until(lambda: server.metric("signpost_store_failures_total") > 2, "retries")
                self.assertEqual(server.metric("signpost_store_up"), 0)
                self.assert_told_once(server, self.store, "Read-only")
                self.remount("rw")
                self.wait_healed(server)
                self.bind(server, range(6, 8))
                self.settle(server)
                server.kill()
                server = self.again(server)
                after = [5] if durability == "async" else []
                self.assert_held(server, [*range(5), *after, 6, 7])
                server.terminate()


    def test_what_cannot_be_read_there_is_copied_when_it_can_be_written(self):
        server = self.keep("async")
        self.bind(server, range(5))
        self.settle(server)
        server.terminate()
        server = self.again(server)  # which moves the log into a file
        server.terminate()
        self.damage(self.file_with("u1@kept.test"))
        self.remount("ro")
        server = self.again(server)
        server.wait_line("cannot be read")
        self.assertEqual(os.listdir(self.disk), ["store"])
        self.bind(server, range(5, 7))
        self.remount("rw")
        self.wait_healed(server)
        self.assertEqual(sorted(os.listdir(self.disk)), ["store", "store.damaged-1"])
        server.kill()
        self.assertLessEqual({"u5@kept.test", "u6@kept.test"}, set(held(self.again(server))))

    def test_a_first_start_there_serves_until_it_can_be_written(self):
        self.remount("ro")
        server = self.keep("async")
        self.bind(server, range(3))
        self.assert_redirects(server, range(3))
        self.assert_told_once(server, self.store, "Read-only")
        self.remount("rw")
        self.wait_healed(server)
        server.kill()
        self.assert_held(self.again(server), range(3))


class Full(Disk):
    def setUp(self):
        super().setUp()
        self.mount("4m")

    def mount(self, size):
        self.mounts.run("mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.disk)
        self.ballast = self.mounts.path(os.path.join(self.disk, "ballast"))

    def fill(self):
        """To the last byte."""
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def wait_failing(self, server, client, user):
        """Changes that are not answered with sync, until one did not fit any more."""
        def failed():
            client.send(client.register(f"sip:{user}@kept.test", f"<sip:{'y' * 1000}@192.0.2.1>",
                                        call_id="filler"))
            client.receive(0.05)
            return server.metric("signpost_store_failures_total") > 0

        wait_until(failed, "a full disk")

    def test_async_goes_on_answering_and_heals(self):
        server = self.keep("async", "--store-flush-ms", 10)
        self.bind(server, range(5))
        self.settle(server)
        self.fill()
        self.wait_failing(server, self.client(server), "filler")
        self.bind(server, range(5, 20))
        self.assert_redirects(server, range(20))
        wait_until(lambda: server.metric("signpost_store_failures_total") > 2, "retries")
        self.assert_told_once(server, self.store, "No space left")
        os.remove(self.ballast)
        self.wait_healed(server)
        self.bind(server, range(20, 25))
        self.settle(server)
        before = held(server)
        server.kill()
        self.assertEqual(set(held(self.again(server))), set(before))
        self.assertLessEqual({f"u{n}@kept.test" for n in range(25)}, set(before))

    def test_a_server_that_was_started_again_goes_on_too(self):
        self.mount("64m")  # room for all that RocksDB would like to have
        for durability in ("async", "sync"):
            self.store = os.path.join(self.disk, durability)
            server = self.keep(durability)
            self.bind(server, range(5))
            server.terminate()
            server = self.again(server)
            self.fill()
            self.wait_failing(server, self.client(server), "filler")
            wait_until(lambda: server.metric("signpost_store_failures_total") > 3, "retries")
            self.assert_redirects(server, range(5))
            os.remove(self.ballast)
            self.wait_healed(server)
            server.terminate()

    def test_sync_refuses_register_goes_on_with_invite_and_heals(self):
        server = self.keep("sync")
        self.bind(server, range(5))
        self.fill()
        client = self.client(server)
        self.wait_failing(server, client, "filler")
        answer = self.ask_register(client, "u5", "<sip:phone5@192.0.2.1>")
        self.assertEqual(answer.status, 503, answer)
        self.assertGreater(int(answer.one("Retry-After")), 0)
        self.assert_redirects(server, range(5))
        self.assert_told_once(server, self.store, "No space left")
        os.remove(self.ballast)
        self.wait_healed(server)
        self.bind(server, range(5, 9))
        server.kill()
        self.assertLessEqual({f"u{n}@kept.test" for n in range(9)}, set(held(self.again(server))))

    def test_a_first_start_there_serves_until_there_is_room(self):
        self.fill()
        server = self.keep("async")
        self.bind(server, range(3))
        self.assert_told_once(server, self.store, "No space left")
        os.remove(self.ballast)
        self.wait_healed(server)
        server.kill()
        self.assert_held(self.again(server), range(3))

    def test_what_was_kept_is_served_when_it_starts_on_a_full_disk(self):
        server = self.keep("sync")
        self.bind(server, range(5))
        self.fill()
        self.wait_failing(server, self.client(server), "filler")
        server.kill()
        server = self.again(server)
        self.assertLessEqual({f"u{n}@kept.test" for n in range(5)}, set(held(server)))
        self.assert_redirects(server, range(5))
        os.remove(self.ballast)
        wait_until(lambda: server.metric("signpost_store_up") == 1, "a store that works again")
        self.bind(server, range(5, 9))
        server.kill()
        self.assertLessEqual({f"u{n}@kept.test" for n in range(9)}, set(held(self.again(server))))


class Frozen(Disk):
    """By fsfreeze, as for a snapshot of the disk. Thawed when this process ends."""

    def setUp(self):
        super().setUp()
        image = os.path.join(self.folder, "image")
        with open(image, "wb") as file:
            file.truncate(96 << 20)
        self.mounts.run("mkfs.ext4", "-q", image)
        self.mounts.run("mount", "-o", "loop", image, self.disk)

    def freeze(self):
        script = f"fsfreeze -f {self.disk} || exit 1; echo frozen; read _; fsfreeze -u {self.disk}"
        self._freezer = subprocess.Popen([*self.mounts.prefix, "sh", "-c", script],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.thaw)
        if self._freezer.stdout.readline() != "frozen\n":
            self.skipTest("no file system can be frozen here")

    def thaw(self):
        self._freezer.stdin.close()
        self._freezer.wait(PATIENCE_S)
        self._freezer.stdout.close()

    def test_async_answers_and_keeps_it_all_afterwards(self):
        server = self.keep("async", "--store-queue-bytes", 1 << 20)
        self.bind(server, range(5))
        self.settle(server)
        self.freeze()
        self.bind(server, range(5, 2000))
        self.assert_redirects(server, range(0, 2000, 100))
        waiting = server.metric("signpost_store_waiting_bytes")
        self.assertGreater(waiting, 0)
        self.assertLessEqual(waiting, server.metric("signpost_workers") * (1 << 20))
        self.thaw()
        self.settle(server)
        server.kill()
        self.assert_held(self.again(server), range(2000))

    def test_sigterm_gives_up_with_a_word(self):
        server = self.keep("async")
        self.bind(server, range(5))
        self.settle(server)
        self.freeze()
        self.bind(server, range(5, 10))
        server.killed = True  # judged here
        server.signal(15)
        server.wait_line("does not answer")
        self.thaw()  # no process whose thread is in a frozen disk can end
        self.assertEqual(server.wait(PATIENCE_S), 1)
        server.discard()
        server.assert_unreported()
        self.assertLessEqual({f"u{n}@kept.test" for n in range(5)}, set(held(self.again(server))))


if __name__ == "__main__":
    unittest.main()
