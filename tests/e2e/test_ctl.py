# SPDX-License-Identifier: Apache-2.0
"""signpostctl: a store written, read, carried over from Kamailio, and what it says of bad input.

kamailio/ holds one location table in all the forms it may come in: location.dbtext, location.csv
and location.sqlite.sql are what Kamailio 5.6.3 and sqlite3 wrote (with later expiries), the others
have the same rows as mysqldump, mysql --batch and pg_dump write them.
"""

import json
import os
import sqlite3
import stat
import subprocess
import unittest

from support import EndToEnd, PATIENCE_S, SANITIZER_REPORT, executable

KAMAILIO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kamailio")
DUMPS = {
    "location.dbtext": "kamailio-dbtext",
    "location.csv": "kamailio-csv",
    "location.batch.tsv": "kamailio-csv",
    "location.sqlite.sql": "kamailio-sql",
    "location.mysql.sql": "kamailio-sql",
    "location.pg.sql": "kamailio-sql",
}
# aor: contacts, the newest first
USERS = {
    "bob@example.com": ["sip:bob@192.0.2.2:5061;transport=udp", "sip:bob@192.0.2.1:5060"],
    "carol@example.net": ["sip:carol@192.0.2.3"],
    "nat@example.com": ["sip:nat@10.0.0.5:5060"],
    "pathy@example.com": ["sip:p@192.0.2.9"],
    "we:ird\\@example.com": ["sip:we%3aird'x@192.0.2.10;x=y"],
}


def ctl(*arguments, text=None, cwd=None):
    """(exit status, standard output, lines on standard error)"""
    environment = {**os.environ, "TZ": "UTC"}
    done = subprocess.run([executable("SIGNPOSTCTL"), *map(str, arguments)], cwd=cwd,
                          input=text if text is not None else "", capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False, env=environment)
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done.returncode, done.stdout, done.stderr.splitlines()


def binding(aor, contact, seconds=3600, **more):
    return {"aor": aor, "contact": contact, "params": "", "expires": seconds, "call_id": "id@h",
            "cseq": 1, **more}


def lines(*bindings):
    return "".join(json.dumps(row) + "\n" for row in bindings)


def by_aor(text, *without):
    """{aor: its bindings in their order}, each without these members."""
    users = {}
    for line in text.splitlines():
        row = json.loads(line)
        users.setdefault(row["aor"], []).append(
            {name: value for name, value in row.items() if name not in without})
    return users


class Store(EndToEnd):
    def setUp(self):
        self.where = self.directory()

    def path(self, name):
        return os.path.join(self.where, name)

    def export(self, store, *options):
        status, output, said = ctl("store", "export", self.path(store), *options)
        self.assertEqual(status, 0, said)
        return output

    def load(self, store, text, *options):
        status, output, said = ctl("store", "import", self.path(store), *options, text=text)
        self.assertEqual((status, output), (0, ""), said)
        return said


class Backup(Store):
    def test_export_import_export(self):
        rows = [binding(f"u{i}@h", f"sip:u{i}@192.0.2.{j}", 600 + j, q=0.5, revision=i + 1,
                        params=";+sip.instance=\"<urn:uuid:\\\"ü>\"",
                        request_id=f"{i * 7 + j:016x}".replace("0" * 16, "1" * 16),
                        extra="0902006162")
                for i in range(500) for j in range(3)]
        said = self.load("first", lines(*rows))
        self.assertIn("1500 rows read: 1500 bindings of 500 addresses of record", said[-1])
        first = self.export("first")
        self.load("second", first)
        second = self.export("second")
        self.assertEqual(by_aor(first, "expires"), by_aor(second, "expires"))
        self.assertEqual(by_aor(first, "expires", "expires_at"),
                         {f"u{i}@h": [{name: value for name, value in row.items()
                                       if name != "expires"} for row in rows[3 * i:3 * i + 3]]
                          for i in range(500)})

    def test_file_and_what_is_there_already(self):
        backup = self.path("backup.jsonl")
        self.load("store", lines(binding("ann@h", "sip:ann@h"), binding("bob@h", "sip:old@h")))
        status, output, said = ctl("store", "export", self.path("store"), "-o", backup)
        self.assertEqual((status, output), (0, ""), said)
        self.load("store", lines(binding("bob@h", "sip:new@h"), binding("cid@h", "sip:cid@h")))
        self.assertEqual({aor: [row["contact"] for row in rows]
                          for aor, rows in by_aor(self.export("store")).items()},
                         {"ann@h": ["sip:ann@h"], "bob@h": ["sip:new@h"], "cid@h": ["sip:cid@h"]})
        status, _, said = ctl("store", "import", self.path("store"), backup)
        self.assertEqual(status, 0, said)
        self.assertEqual(by_aor(self.export("store"))["bob@h"][0]["contact"], "sip:old@h")

    def test_one_at_a_time_writes_and_others_read(self):
        self.load("store", lines(binding("ann@h", "sip:ann@h")))
        with subprocess.Popen([executable("SIGNPOSTCTL"), "store", "import", self.path("store"),
                               "--from", "json"], stdin=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as writer:
            # it has the store before it reads; a megabyte is more than a pipe holds
            writer.stdin.write(lines(binding("bob@h", "sip:bob@h")) * 10000)
            writer.stdin.flush()
            status, _, said = ctl("store", "import", self.path("store"),
                                  text=lines(binding("bob@h", "sip:x@h")))
            self.assertEqual(status, 2)
            self.assertIn(self.path("store"), said[-1])
            self.assertEqual(list(by_aor(self.export("store"))), ["ann@h"])
            _, complaints = writer.communicate()
            self.assertEqual(writer.returncode, 0, complaints)
        self.assertEqual(sorted(by_aor(self.export("store"))), ["ann@h", "bob@h"])

    def test_output_that_nobody_takes(self):
        self.load("store", lines(*(binding(f"u{i}@h", "sip:u@h") for i in range(2000))))
        status, _, said = ctl("store", "export", self.path("store"), "-o", "/dev/full")
        self.assertEqual(status, 2)
        self.assertIn("/dev/full: No space left", said[-1])
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([executable("SIGNPOSTCTL"), "store", "export",
                                   self.path("store")], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("standard output: No space left", done.stderr)


class BackupFile(Store):
    """A backup is whole, or the one before it stays."""

    def setUp(self):
        super().setUp()
        self.load("store", lines(*(binding(f"u{i}@h", "sip:u@h") for i in range(100))))
        self.folder = self.directory()
        self.backup = os.path.join(self.folder, "backup.jsonl")

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_is_its_owners_alone_and_takes_the_place_of_the_one_before(self):
        for before in (None, "old\n"):
            if before is not None:
                with open(self.backup, "w", encoding="utf-8") as file:
                    file.write(before)
                os.chmod(self.backup, 0o644)
            self.export("store", "-o", self.backup)
            self.assertEqual(len(by_aor(self.read(self.backup))), 100)
            self.assertEqual(stat.S_IMODE(os.stat(self.backup).st_mode), 0o600)
            self.assertEqual(os.listdir(self.folder), ["backup.jsonl"])

    def test_that_cannot_be_written_leaves_the_one_before(self):
        with open(self.backup, "w", encoding="utf-8") as file:
            file.write("old\n")
        script = "trap '' XFSZ; ulimit -f 1; exec \"$@\""
        done = subprocess.run(["sh", "-c", script, "sh", executable("SIGNPOSTCTL"), "store",
                               "export", self.path("store"), "-o", self.backup],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr, f"signpostctl: {self.backup}: File too large\n")
        self.assertEqual(self.read(self.backup), "old\n")
        self.assertEqual(os.listdir(self.folder), ["backup.jsonl"])

    def test_of_a_store_that_cannot_be_read_leaves_the_one_before(self):
        with open(self.backup, "w", encoding="utf-8") as file:
            file.write("old\n")
        os.remove(os.path.join(self.path("store"), "CURRENT"))
        status, _, said = ctl("store", "export", self.path("store"), "-o", self.backup)
        self.assertEqual(status, 2, said)
        self.assertEqual(self.read(self.backup), "old\n")
        self.assertEqual(os.listdir(self.folder), ["backup.jsonl"])

    def test_a_link_to_it_stays_one(self):
        link = self.path("link")
        os.symlink(self.backup, link)
        with open(self.backup, "w", encoding="utf-8") as file:
            file.write("old\n")
        self.export("store", "-o", link)
        self.assertEqual(os.readlink(link), self.backup)
        self.assertEqual(len(by_aor(self.read(self.backup))), 100)

    def test_where_there_is_no_folder(self):
        path = os.path.join(self.folder, "none", "backup.jsonl")
        status, _, said = ctl("store", "export", self.path("store"), "-o", path)
        self.assertEqual(status, 2)
        self.assertIn(f"{path}: cannot be written: No such file", said[-1])

    def test_a_pipe_is_written_directly(self):
        done = subprocess.run(["sh", "-c", '"$0" store export "$1" -o /dev/stdout | cat',
                               executable("SIGNPOSTCTL"), self.path("store")],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=True)
        self.assertEqual(len(by_aor(done.stdout)), 100)


class Check(Store):
    """How much there is, what is wrong with it, and what to do then."""

    def check(self, status, verdict):
        """{what is counted: how many}, and what is said besides."""
        done, output, said = ctl("store", "check", self.path("store"))
        self.assertEqual((done, output.splitlines()[-1:]), (status, verdict), said)
        return dict(line.rsplit(None, 1) for line in output.splitlines()[:-1]), "\n".join(said)

    def keep(self, user):
        """One address of record in a generation of its own; the one before it is in a file."""
        self.load("store", lines(binding(f"{user}@h", f"sip:{user}@h")))

    def damage(self, user, ending):
        """Where the user's record is in a file of this kind."""
        found = 0
        for name in os.listdir(self.path("store")):
            with open(os.path.join(self.path("store"), name), "r+b") as file:
                at = file.read().find(f"{user}@h".encode()) if name.endswith(ending) else -1
                if at >= 0:
                    file.seek(at)
                    file.write(b"?")
                    found += 1
        self.assertEqual(found, 1)

    def test_whole(self):
        self.keep("ann")
        self.load("store", lines(binding("ann@h", "sip:ann@h"), binding("bob@h", "sip:bob@h"),
                                 binding("bob@h", "sip:bob@i")))
        counts, said = self.check(0, ["whole"])
        self.assertEqual(said, "")
        for what, count in (("addresses of record", 2), ("bindings", 3), ("expired bindings", 0),
                            ("records", 3), ("blocks", 2), ("generations", 3),
                            ("damaged blocks", 0), ("damaged records", 0), ("newer records", 0)):
            self.assertEqual(counts[what], str(count), what)

    def test_a_damaged_file(self):
        self.keep("ann")
        self.keep("bob")
        self.damage("ann", ".sst")
        counts, said = self.check(1, ["damaged"])
        self.assertEqual((counts["bindings"], counts["damaged blocks"]), ("1", "1"))
        self.assertIn("1 blocks and 0 records could not be read", said)
        self.assertIn("serves the rest", said)
        self.assertNotIn("store check", said)

    def test_a_damaged_log_and_what_it_says_to_do(self):
        self.keep("ann")
        self.keep("bob")
        self.damage("bob", ".log")
        counts, said = self.check(1, ["damaged"])
        self.assertEqual(counts["bindings"], "1")
        self.assertIn("some of the latest changes", said)
        self.assertIn("no server starts from it", said)
        self.assertNotIn("store check", said)
        steps = [line.removeprefix("signpostctl:   ") for line in said.splitlines()[-3:]]
        script = "\n".join(["signpostctl() { " + executable("SIGNPOSTCTL") + ' "$@"; }', *steps])
        subprocess.run(["sh", "-c", script], cwd=self.where, check=True, capture_output=True,
                       timeout=PATIENCE_S)
        self.assertEqual(self.check(0, ["whole"])[0]["bindings"], "1")
        self.assertEqual(list(by_aor(self.export("store"))), ["ann@h"])

    def test_nothing_can_be_read(self):
        self.keep("ann")
        os.remove(os.path.join(self.path("store"), "CURRENT"))
        _, said = self.check(2, [])
        self.assertIn("nothing of it can be read", said)
        self.assertIn("CURRENT", said)
        self.assertIn(f"move {self.path('store')} away", said)
        self.assertNotIn("store check", said)

    def test_damage_is_told_by_an_export_too(self):
        self.keep("ann")
        self.damage("ann", ".log")
        status, output, said = ctl("store", "export", self.path("store"))
        self.assertEqual((status, output), (1, ""), said)
        self.assertIn("damaged", said[0])


class BesideAServer(Store):
    def serve_store(self, *options):
        return self.start("--store", "rocksdb:" + self.path("store"), *options)

    def test_backup_of_a_running_server(self):
        server = self.serve_store("--durability", "sync")
        client = self.client(server)
        for user in range(50):
            answer = client.ask(client.register(f"sip:u{user}@h", f"<sip:u{user}@192.0.2.1>;x=y"))
            self.assertEqual(answer.status, 200)
        _, told = server.get("/bindings")
        self.assertEqual(by_aor(self.export("store"), "expires", "expires_at", "revision",
                                "request_id"), by_aor(told, "expires"))
        self.assertEqual(ctl("store", "check", self.path("store"))[0], 0)
        status, _, said = ctl("store", "import", self.path("store"), text=told)
        self.assertEqual(status, 2)
        self.assertIn("in use", said[-1])
        self.load("copy", told)
        self.assertEqual(by_aor(self.export("copy"), "expires", "expires_at", "revision"),
                         by_aor(told, "expires"))

    def test_server_serves_what_was_imported(self):
        ctl("store", "import", self.path("store"), os.path.join(KAMAILIO, "location.dbtext"))
        server = self.serve_store()
        _, told = server.get("/bindings")
        self.assertEqual({aor: {row["contact"] for row in rows}
                          for aor, rows in by_aor(told).items()},
                         {aor: set(contacts) for aor, contacts in USERS.items()})
        # and a phone goes on with the next CSeq of its Call-ID, as if nothing had happened
        client = self.client(server)
        answer = client.ask(client.register(
            "sip:bob@example.com", "<sip:bob@192.0.2.2:5061;transport=udp>", call_id="c2@h",
            cseq=8))
        self.assertEqual(answer.status, 200)
        self.assertEqual(len(by_aor(server.get("/bindings")[1])["bob@example.com"]), 2)
        server.terminate()
        self.assertEqual(by_aor(self.export("store"))["bob@example.com"][0]["cseq"], 8)


class Kamailio(Store):
    def test_every_form_of_the_table(self):
        for name, form in DUMPS.items():
            with self.subTest(name):
                status, _, said = ctl("store", "import", self.path(name),
                                      os.path.join(KAMAILIO, name))
                self.assertEqual(status, 0, said)
                text = "\n".join(said)
                self.assertIn(f"{name}: recognized as {form}", text)
                self.assertIn("6 rows read: 6 bindings of 5 addresses of record", text)
                self.assertIn("1 came through NAT", text)
                self.assertIn("1 have a Path", text)
                users = by_aor(self.export(name))
                self.assertEqual({aor: [row["contact"] for row in rows]
                                  for aor, rows in users.items()}, USERS)
                bob = users["bob@example.com"]
                self.assertEqual(
                    (bob[0]["q"], bob[0]["call_id"], bob[0]["cseq"], bob[0]["params"]),
                    (0.5, "c2@h", 7, ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-"
                                     "000A95A0E128>\";reg-id=1"))
                self.assertNotIn("q", bob[1])
                self.assertEqual(users["we:ird\\@example.com"][0]["call_id"], "c6:7")

    def test_dates_are_of_the_zone(self):
        self.load("here", "username,domain,contact,expires,callid\n"
                  "bob,h,sip:bob@h,2080-06-01 12:00:00,i\n", "--timezone", "+02:00")
        row = by_aor(self.export("here"))["bob@h"][0]
        self.assertEqual(row["expires_at"], "2080-06-01T10:00:00.000Z")

    def test_rows_without_a_domain(self):
        table = "username,domain,contact,expires\nbob,NULL,sip:bob@h,0\n"
        status, _, said = ctl("store", "import", self.path("store"), text=table)
        self.assertEqual(status, 2)
        self.assertIn("--domain NAME", said[-1])
        self.load("store", table, "--domain", "Example.com")
        self.assertEqual(list(by_aor(self.export("store"))), ["bob@example.com"])


class Refusing(Store):
    """What is wrong is one line that names it."""

    def assert_refused(self, *arguments, naming, text=None, status=2):
        done, output, said = ctl(*arguments, text=text, cwd=self.where)
        self.assertEqual((done, output), (status, ""), said)
        for thing in naming:
            self.assertIn(thing, said[-1])
        return said

    def test_command_line(self):
        for arguments, naming in (
            ([], ["--help"]),
            (["shop"], ["shop", "--help"]),
            (["store"], ["store", "--help"]),
            (["store", "exprot"], ["exprot", "--help"]),
            (["store", "export"], ["DIR"]),
            (["store", "check", "a", "b"], ["\"b\""]),
            (["store", "export", "--everything", "a"], ["--everything", "--help"]),
            (["store", "export", "a", "-o"], ["--output", "FILE"]),
            (["store", "export", "--all=yes", "a"], ["--all"]),
            (["store", "import", "a", "--from", "xml"], ["xml", "kamailio-sql"]),
            (["store", "import", "a", "--timezone", "Mars"], ["Mars"]),
            (["store", "import", "a", "--domain", "h:5060"], ["h:5060"]),
        ):
            with self.subTest(arguments):
                said = self.assert_refused(*arguments, naming=naming)
                self.assertEqual(len(said), 1)
        self.assertEqual(os.listdir(self.where), [])

    def test_help_is_short(self):
        for arguments in (["--help"], ["store", "--help"], ["store", "-h"],
                          ["store", "export", "--help"], ["store", "import", "--help"],
                          ["store", "check", "-h"]):
            status, output, said = ctl(*arguments)
            self.assertEqual((status, said), (0, []))
            self.assertTrue(output.startswith("usage: signpostctl "))
            self.assertLessEqual(len(output.splitlines()), 24)
            self.assertLessEqual(max(map(len, output.splitlines())), 90)

    def test_version(self):
        for arguments in (["--version"], ["-V"], ["store", "--version"],
                          ["store", "check", "--version"], ["store", "import", "a", "-V"]):
            status, output, said = ctl(*arguments, cwd=self.where)
            self.assertEqual((status, said), (0, []), arguments)
            self.assertRegex(output, r"^signpostctl \d")
        self.assertEqual(os.listdir(self.where), [])

    def test_no_such_store(self):
        for command in ("export", "check"):
            said = self.assert_refused("store", command, "nowhere",
                                       naming=["nowhere", "No such file"])
            self.assertEqual(len(said), 1)
            self.assert_refused("store", command, __file__, naming=["Not a directory"])
        self.assertEqual(os.listdir(self.where), [])

    def test_input(self):
        self.assert_refused("store", "import", "a", text="", naming=["empty"])
        self.assert_refused("store", "import", "a", text="hello\n", naming=["--from"])
        self.assert_refused("store", "import", "a", "none.csv", naming=["none.csv"])
        self.assert_refused("store", "import", "a", text="user,contact\nb,c\n",
                            naming=["standard input:1", "username"])
        self.assertEqual(os.listdir(self.where), [], "a store that is not to be filled")

    def test_nothing_to_write_makes_no_store(self):
        table = "username,domain,contact,expires\nann,h,sip:ann@h,0\nbob,NULL,sip:bob@h,0\n"
        self.assert_refused("store", "import", "a", text=table, naming=["--domain NAME"])
        self.assert_refused("store", "import", "a", text="{\n", naming=["1 rows are bad"], status=1)
        self.assert_refused("store", "import", "none/a", text=table,
                            naming=["none/a: cannot be created: No such file"])
        self.assertEqual(os.listdir(self.where), [])

    def test_a_store_that_takes_nothing(self):
        good = lines(binding("bob@h", "sip:bob@h"))
        self.load("store", good)
        script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" store import store"
        done = subprocess.run(["sh", "-c", script, executable("SIGNPOSTCTL")], cwd=self.where,
                              input=good, capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("store: cannot be written: File too large", done.stderr)

    def test_a_database_that_was_not_dumped(self):
        database = sqlite3.connect(self.path("kamailio.sqlite"))
        database.execute("CREATE TABLE location (id INTEGER, username TEXT, contact TEXT)")
        database.close()
        for options in ([], ["--from", "kamailio-sql"]):
            said = self.assert_refused(
                "store", "import", "a", "kamailio.sqlite", *options,
                naming=["kamailio.sqlite: is an SQLite database", "sqlite3 kamailio.sqlite "
                        "'.dump location' | signpostctl store import a"])
            self.assertEqual(len(said), 1)
        self.assertEqual(os.listdir(self.where), ["kamailio.sqlite"])

    def test_input_that_was_cut(self):
        text = lines(binding("ann@h", "sip:ann@h"), binding("bob@h", "sip:bob@h"))
        self.assert_refused("store", "import", "store", text=text[:-9], status=1,
                            naming=["seems to be cut"])
        self.assertEqual(list(by_aor(self.export("store"))), ["ann@h"])
        self.load("store", text[:-1])
        self.assertEqual(sorted(by_aor(self.export("store"))), ["ann@h", "bob@h"])

    def test_bad_rows(self):
        good = lines(binding("bob@h", "sip:bob@h"))
        said = self.load("store", good + "{\n" + good.replace("sip:bob", "bob"))
        self.assertIn("standard input:2: is no JSON object: {", said[1])
        self.assertIn('standard input:3: has a Contact that is no URI: {"aor": "bob@h", ', said[2])
        self.assertIn("2 rows are bad", said[-1])
        status, _, _ = ctl("store", "import", self.path("store"), "--strict", text=good + "{\n")
        self.assertEqual(status, 1)
        status, _, said = ctl("store", "import", self.path("store"), text="{\n")
        self.assertEqual(status, 1, said)


if __name__ == "__main__":
    unittest.main()
