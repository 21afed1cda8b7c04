# SPDX-License-Identifier: Apache-2.0
"""What a server does when its store is in use, of a later release, damaged, gone or failing."""

import ctypes
import os
import shutil
import unittest

from stores import Stall, Stores, answers, contents, data_files, held, wait_until
from support import PATIENCE_S


class Later:
    """A later release, as far as RocksDB is concerned, by the C functions of its library."""

    def __init__(self):
        for name in ("librocksdb.so", "librocksdb.so.7.8", "librocksdb.so.7"):
            try:
                self._library = ctypes.CDLL(name)
                return
            except OSError:
                pass
        raise unittest.SkipTest("no librocksdb for Python")

    def write(self, directory, key, value):
        """Puts the value into the database's default family."""
        error = ctypes.c_char_p()
        count = ctypes.c_size_t()
        function = self._function
        options = function("rocksdb_options_create")()
        names = function("rocksdb_list_column_families", ctypes.POINTER(ctypes.c_char_p))(
            options, directory.encode(), ctypes.byref(count), ctypes.byref(error))
        assert error.value is None, error.value
        handles = (ctypes.c_void_p * count.value)()
        each = (ctypes.c_void_p * count.value)(*[options] * count.value)
        db = function("rocksdb_open_column_families")(
            options, directory.encode(), ctypes.c_int(count.value), names, each, handles,
            ctypes.byref(error))
        assert error.value is None, error.value
        function("rocksdb_put")(
            db, function("rocksdb_writeoptions_create")(), key, ctypes.c_size_t(len(key)), value,
            ctypes.c_size_t(len(value)), ctypes.byref(error))
        assert error.value is None, error.value
        for handle in handles:
            function("rocksdb_column_family_handle_destroy")(ctypes.c_void_p(handle))
        function("rocksdb_close")(db)

    def _function(self, name, result=ctypes.c_void_p):
        function = self._library[name]  # a new object each time
        function.restype = result

        def call(*arguments):
            return function(*[ctypes.c_void_p(argument) if isinstance(argument, int) else argument
                              for argument in arguments])

        return call


class Refusing(Stores):
    """To start, where that would destroy what is kept."""

    def stopped(self):
        """A server that has kept bindings, and ended; what it kept is in a file and in the log."""
        server = self.keep()
        self.bind(server, range(3))
        server.terminate()
        server = self.again(server)
        self.bind(server, range(3, 6))
        server.terminate()
        return server

    def test_what_another_server_serves_from(self):
        first = self.keep()
        self.bind(first, range(3))
        second = self.start()
        second.terminate()
        second.arguments += ["--store", f"rocksdb:{self.store}"]
        self.assert_refused(second, "in use by another server")
        self.bind(first, range(3, 6))
        first.kill()
        self.assert_held(self.again(first), range(6))

    def test_what_a_later_release_has_written(self):
        server = self.stopped()
        Later().write(self.store, b"meta", b"format: 2\nkey: " + b"0" * 32 + b"\n")
        before = contents(self.store)
        self.assert_refused(server, "later release", "move the directory away")
        self.assert_unchanged(before)

    def test_what_cannot_be_read(self):
        for name in ("CURRENT", "MANIFEST-"):
            for what in (b"garbage\n", b"", None):
                with self.subTest(name=name, what=what):
                    self.setUp()
                    server = self.stopped()
                    found = next(entry for entry in os.listdir(self.store)
                                 if entry.startswith(name))
                    if what is None:
                        os.remove(os.path.join(self.store, found))
                    else:
                        with open(os.path.join(self.store, found), "wb") as file:
                            file.write(what)
                    before = contents(self.store)
                    self.assert_refused(server, "move the directory away")
                    self.assert_unchanged(before)

    def test_what_has_lost_its_first_file(self):
        server = self.stopped()
        os.remove(os.path.join(self.store, "CURRENT"))
        before = contents(self.store)
        self.assert_refused(server, "CURRENT", "move the directory away")
        self.assert_unchanged(before)

    def test_a_directory_without_a_parent(self):
        server = self.start()
        server.terminate()
        self.store = os.path.join(self.folder, "no", "such", "store")
        server.arguments += ["--store", f"rocksdb:{self.store}"]
        self.assert_refused(server)

    def assert_unchanged(self, before):
        """All of what is kept is as it was; what RocksDB tells of itself is no part of it."""
        def kept(files):
            return {path: found for path, found in files.items()
                    if not path.startswith("LOG") and path != "LOCK"}

        self.assertEqual(kept(contents(self.store)), kept(before))


class Damaged(Stores):
    def two_files(self):
        """A server that has ended and kept users 0 to 2 in a file, and 3 to 5 in another."""
        server = self.keep()
        for numbers in (range(3), range(3, 6), ()):
            self.bind(server, numbers)
            server.terminate()
            server = self.again(server)
        server.terminate()
        return server

    def test_the_rest_is_served_and_a_copy_kept(self):
        server = self.two_files()
        path = self.file_with("u1@kept.test")
        self.damage(path)
        with open(path, "rb") as file:
            damaged = file.read()
        server = self.again(server)
        self.assert_held(server, range(3, 6))
        told = [line for line in server.output.splitlines() if "cannot be read" in line]
        self.assertEqual(len(told), 1, server.output)
        self.assertIn("a copy", told[0])
        wait_until(lambda: server.metric("signpost_store_rewrites_total") > 0, "a rewrite")
        with open(os.path.join(f"{self.store}.damaged-1", os.path.basename(path)), "rb") as file:
            self.assertEqual(file.read(), damaged)
        self.bind(server, range(7, 9))
        server.kill()
        self.assert_held(self.again(server), [*range(3, 6), *range(7, 9)])

    def test_it_is_told_once_and_copied_once(self):
        server = self.two_files()
        self.damage(self.file_with("u1@kept.test"))
        server = self.again(server)
        wait_until(lambda: server.metric("signpost_store_rewrites_total") > 0, "a rewrite")
        for _ in range(4):
            server.terminate()
            server = self.again(server)
            self.assertNotIn("cannot be read", server.output)
            self.assert_held(server, range(3, 6))
        self.assertFalse(os.path.exists(f"{self.store}.damaged-2"))

    def test_sigterm_while_what_is_left_is_loaded_drops_nothing(self):
        server = self.keep()
        for number in range(12):  # a file each, more than are loaded at a time
            self.bind(server, [number])
            server.terminate()
            server = self.again(server)
        server.terminate()
        for number in 0, 11:
            self.damage(self.file_with(f"u{number}@kept.test"))
        stall = Stall(self.folder)
        stall.begin("load")
        self.addCleanup(stall.end)
        server.arguments += ["--workers", 8]
        server = self.again(server, prefix=stall.prefix, ready=None)
        wait_until(lambda: answers(server), "its admin page")
        before = self.threads(server)
        server.signal(15)
        # the workers, a receiver, the ticker and the admin page's, and then the store is told
        wait_until(lambda: self.threads(server) <= before - 11, "the end of its threads")
        stall.end()
        server.terminate()
        self.assert_held(self.again(server), range(1, 11))

    def threads(self, server):
        return len(os.listdir(f"/proc/{server.pid}/task"))

    def test_without_room_for_a_copy_it_serves_and_writes_nothing(self):
        server = self.two_files()
        self.damage(self.file_with("u1@kept.test"))
        for number in range(1, 4):
            os.mkdir(f"{self.store}.damaged-{number}")
        before = {path: found for path, found in contents(self.store).items() if ".sst" in path}
        server = self.again(server)
        self.assert_held(server, range(3, 6))
        wait_until(lambda: server.metric("signpost_store_failures_total") > 2, "retries")
        self.assert_told_once(server, self.store, "remove some")
        after = {path: found for path, found in contents(self.store).items() if ".sst" in path}
        self.assertEqual({path: after.get(path) for path in before}, before)
        shutil.rmtree(f"{self.store}.damaged-2")
        self.wait_healed(server)
        server.kill()
        self.assert_held(self.again(server), range(3, 6))

    def test_damage_amid_the_log_costs_what_it_hits(self):
        server = self.keep()
        for number in range(4):  # a commit each
            self.bind(server, [number])
        server.kill()
        path = data_files(self.store, ".log")[-1]
        with open(path, "r+b") as file:
            file.seek(file.read().index(b"u1@kept.test"))
            file.write(b"?")
        server = self.again(server)
        self.assertLessEqual(set(held(server)), {f"u{n}@kept.test" for n in (0, 2, 3)})
        self.assertIn("u0@kept.test", held(server))
        told = [line for line in server.output.splitlines() if "cannot be read" in line]
        self.assertEqual(len(told), 1, server.output)
        self.assertEqual(server.metric("signpost_store_unreadable_total"), 1)
        self.assertTrue(os.path.isdir(f"{self.store}.damaged-1"))
        self.bind(server, range(5, 7))
        server.kill()
        self.assertLessEqual({f"u{n}@kept.test" for n in (0, 5, 6)},
                             set(held(self.again(server))))

    def test_a_truncated_log_has_all_but_its_end(self):
        server = self.keep()
        for number in range(4):  # a commit each
            self.bind(server, [number])
        server.kill()
        path = data_files(self.store, ".log")[-1]
        os.truncate(path, os.path.getsize(path) - 5)
        server = self.again(server)
        self.assert_held(server, range(3))
        self.bind(server, range(3, 6))
        server.kill()
        self.assert_held(self.again(server), range(6))


class Gone(Stores):
    def test_a_directory_deleted_meanwhile(self):
        for durability in ("sync", "async"):
            with self.subTest(durability):
                self.setUp()
                server = self.keep(durability)
                self.bind(server, range(5))
                shutil.rmtree(self.store)
                self.poke(server)
                self.wait_healed(server)
                self.assert_told_once(server, self.store, "deleted")
                self.bind(server, range(5, 8))
                self.settle(server)
                server.kill()
                server = self.again(server)
                self.assert_held(server, [*range(8), 99])
                server.terminate()

    def poke(self, server):
        """A change, which shows the server what has become of its store."""
        client = self.client(server)
        request = client.register("sip:u99@kept.test", "<sip:phone99@192.0.2.1>")
        wait_until(lambda: self.sent(client, request), "an answer")

    def sent(self, client, request):
        """Whether there was a 200; sent again much sooner than ask() does."""
        client.send(request)
        received = client.receive(0.5)
        return received is not None and b"SIP/2.0 200" in received[0]


class Failing(Stores):
    def setUp(self):
        super().setUp()
        self.stall = Stall(self.folder)
        self.addCleanup(self.stall.end)

    def failing(self, durability):
        server = self.keep(durability, prefix=self.stall.prefix)
        self.bind(server, range(5))
        self.stall.begin("fail")
        return server

    def test_async_goes_on_answering(self):
        server = self.failing("async")
        self.bind(server, range(5, 10))
        wait_until(lambda: server.metric("signpost_store_failures_total") > 2, "more failures")
        self.assertEqual(server.metric("signpost_store_up"), 0)
        self.bind(server, range(10, 15))
        self.assert_redirects(server, range(15))
        self.stall.end()
        self.wait_healed(server)
        self.assert_told_once(server, self.store)
        server.kill()
        self.assert_held(self.again(server), range(15))

    def test_sync_refuses_register_and_redirects(self):
        server = self.failing("sync")
        client = self.client(server)
        request = client.register("sip:u7@kept.test", "<sip:phone7@192.0.2.1>")
        client.send(request)  # it shows the server; this answer is never sent
        wait_until(lambda: server.metric("signpost_store_failures_total") > 0, "a failure")
        for asked in (request, client.register("sip:u8@kept.test", "<sip:phone8@192.0.2.1>")):
            answer = client.ask(asked)
            self.assertEqual(answer.status, 503, answer)
            self.assertGreater(int(answer.one("Retry-After")), 0)
        self.assert_redirects(server, range(5))
        self.stall.end()
        self.wait_healed(server)
        self.assert_told_once(server, self.store)
        self.bind(server, range(10, 12))
        server.kill()
        after = held(self.again(server))
        after.pop("u7@kept.test", None)  # nobody was told of it
        self.assertEqual(set(after), {f"u{n}@kept.test" for n in (*range(5), 10, 11)})

    def test_sigterm_while_failing_says_what_is_not_kept(self):
        server = self.failing("async")
        self.bind(server, range(5, 10))
        wait_until(lambda: server.metric("signpost_store_up") == 0, "a failure")
        server.killed = True  # judged here
        server.signal(15)
        self.assertEqual(server.wait(PATIENCE_S), 1)
        server.wait_line("is not kept")
        server.discard()
        server.assert_unreported()
        self.stall.end()
        # what it could not be sure of may be there all the same
        self.assertLessEqual({f"u{n}@kept.test" for n in range(5)}, set(held(self.again(server))))


class Standing(Stores):
    """Still: the disk takes what is written and does not come back."""

    def setUp(self):
        super().setUp()
        self.stall = Stall(self.folder)
        self.addCleanup(self.stall.end)

    def test_async_answers_and_keeps_it_all_afterwards(self):
        server = self.keep("async", "--store-queue-bytes", 1 << 20, prefix=self.stall.prefix)
        self.bind(server, range(5))
        self.settle(server)
        self.stall.begin("write")
        # more than a queue takes
        self.flood(server)
        self.assertLessEqual(server.metric("signpost_store_waiting_bytes"),
                             server.metric("signpost_workers") * (1 << 20))
        self.bind(server, range(5, 10))
        self.assert_redirects(server, range(10))
        bindings = held(server)
        self.stall.end()
        wait_until(lambda: server.metric("signpost_store_overflows_total") > 0, "an overflow seen")
        wait_until(lambda: server.metric("signpost_store_rewrites_total") > 0, "a rewrite")
        self.settle(server)
        server.kill()
        self.assertEqual(set(held(self.again(server))), set(bindings))

    def flood(self, server):
        client = self.client(server)
        for number in range(6000):
            request = client.register(f"sip:x{number}@kept.test", f"<sip:{'y' * 300}@192.0.2.1>",
                                      call_id=f"{number}@flood")
            self.assertEqual(client.ask(request).status, 200)

    def test_sync_sends_no_answer_before_it_is_kept(self):
        server = self.keep("sync", prefix=self.stall.prefix)
        self.bind(server, range(5))
        self.stall.begin("write")
        client = self.client(server)
        request = client.register("sip:u5@kept.test", "<sip:phone5@192.0.2.1>")
        client.send(request)
        wait_until(lambda: server.metric("signpost_store_waiting_bytes") > 0, "a change")
        self.assert_redirects(server, range(5))
        self.assertIsNone(client.receive(0.2))
        self.stall.end()
        self.assertIn(b"SIP/2.0 200", client.receive()[0])
        server.kill()
        self.assert_held(self.again(server), range(6))

    def test_sigterm_ends_it_all_the_same(self):
        for durability in ("sync", "async"):
            with self.subTest(durability):
                self.setUp()
                server = self.keep(durability, prefix=self.stall.prefix)
                self.bind(server, range(5))
                self.settle(server)
                self.stall.begin("write")
                client = self.client(server)
                client.send(client.register("sip:u5@kept.test", "<sip:phone5@192.0.2.1>"))
                wait_until(lambda: server.metric("signpost_store_waiting_bytes") > 0, "a change")
                server.killed = True  # judged here
                server.signal(15)
                self.assertEqual(server.wait(PATIENCE_S), 1)
                server.wait_line("does not answer")
                server.discard()
                server.assert_unreported()
                self.stall.end()
                self.assertLessEqual({f"u{n}@kept.test" for n in range(5)},
                                     set(held(self.again(server))))

    def test_sigterm_ends_it_while_a_load_stands_still(self):
        server = self.keep()
        self.bind(server, range(5))
        server.terminate()
        self.stall.begin("load")
        server = self.again(server, prefix=self.stall.prefix, ready=None)
        wait_until(lambda: answers(server), "its admin page")
        server.killed = True  # judged here
        server.signal(15)
        server.wait(PATIENCE_S)
        server.wait_line("does not answer")
        server.discard()
        server.assert_unreported()
        self.stall.end()
        self.assert_held(self.again(server), range(5))


if __name__ == "__main__":
    unittest.main()
