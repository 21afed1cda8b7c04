# SPDX-License-Identifier: Apache-2.0
"""self_test.py [--nm NM] [--cc CC]: every check finds the violation that it is for, and finds
nothing in a tree without one. A check that cannot fail proves nothing."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock

import built
import coverage
import layers
import purity
import style
import tables
import tree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../bench/instructions"))
import check as budgets  # pylint: disable=wrong-import-position

TOOLS = {"--nm": "nm", "--cc": "cc"}

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def header(path, body=""):
    guard = style.guard_of(path)
    return f"{SPDX}#ifndef {guard}\n#define {guard}\n{body}#endif\n"


class Scratch(unittest.TestCase):
    """A small tree without findings, in a directory of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def expect(self, findings, *texts):
        """As many findings as texts, each with its text."""
        findings = list(findings)
        self.assertEqual(len(findings), len(texts), findings)
        for finding, text in zip(findings, texts):
            self.assertIn(text, finding)


class Layers(Scratch):
    def setUp(self):
        super().setUp()
        self.write("include/signpost/base/a.h", header("src/base/a.h"))
        self.write("include/signpost/sip/b.h", '#include "signpost/base/a.h"\n')
        self.write("src/sip/b.c", '#include "signpost/sip/b.h"\n#include <stdio.h>\n'
                   '#include "signpost/base/a.h"\n// #include "net/no.h"\n')

    def expect_check(self, *texts):
        self.expect(layers.check(self.root), *texts)

    def test_good(self):
        self.expect_check()

    def test_upwards(self):
        self.write("src/net/n.h", "")
        self.write("src/service/s.c", '#include "net/n.h"\n')
        self.expect_check("service must not include net")

    def test_public_header_upwards(self):
        self.write("include/signpost/base/a.h", '#include "signpost/sip/c.h"\n')
        self.write("include/signpost/sip/c.h", "")
        self.expect_check("base must not include sip")

    def test_circle(self):
        self.write("include/signpost/base/a.h", '#include "signpost/base/z.h"\n')
        self.write("include/signpost/base/z.h", '#include "signpost/base/a.h"\n')
        self.expect_check("includes in a circle: include/signpost/base/a.h > ")

    def test_half_a_path(self):
        self.write("src/base/x.c", '#include "a.h"\n#include "../sip/b.c"\n')
        self.expect_check('"a.h" is no full path', '"../sip/b.c" is no full path')

    def test_project_header_in_angles(self):
        self.write("src/base/x.c", "#include <signpost/base/a.h>\n")
        self.expect_check("write it in quotes")

    def test_own_header_not_first(self):
        self.write("src/sip/b.c", '#include <stdio.h>\n#include "signpost/sip/b.h"\n')
        self.expect_check("is not the first include")

    def test_system_header_late(self):
        self.write("src/sip/c.c", '#include "signpost/sip/b.h"\n#include <stdio.h>\n')
        self.expect_check("stands after a header of this tree")

    def test_no_layer(self):
        self.write("src/util/u.c", "")
        self.expect_check("lies in no layer")


class Style(Scratch):
    def expect_style(self, text, *texts):
        self.write("src/net/x.c", SPDX + text)
        self.expect(style.check(self.root), *texts)

    def test_good(self):
        body = "    x();\n" * (style.FUNCTION_LINES_MAX - 2)
        self.write("src/net/x.h", header("src/net/x.h"))
        self.write("tests/unit/x.h", header("tests/unit/x.h"))
        self.write("tools/run", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n")
        self.expect_style("int f(void)\n{\n" + body + "}\n// strcpy(a, b) and time(NULL)\n"
                          "const char *const s = \"gets(x)\";\nstrtok_r(a, b, c);\n")

    def test_long_line(self):
        self.expect_style("x" * 101 + "\n", "101 columns")

    def test_long_function(self):
        body = "    x();\n" * (style.FUNCTION_LINES_MAX - 1)
        self.expect_style("int f(void)\n{\n" + body + "}\n", "function of 71 lines")

    def test_long_file(self):
        self.expect_style("\n" * 699 + "int x;\n", "701 lines")

    def test_banned_calls(self):
        for call in ("strcpy", "strcat", "sprintf", "gets", "strtok", "atoi", "alloca", "rand"):
            self.expect_style(f"    {call} (x);\n", f"calls {call}")

    def test_clock(self):
        self.expect_style("    clock_gettime(CLOCK_REALTIME, &t);\n", "clock_gettime")

    def test_typedef_struct(self):
        self.expect_style("typedef struct {\n", "hides a type behind struct")

    def test_tag(self):
        self.expect_style("struct Ring {\n};\n", "capitals in the tag")

    def test_white_space(self):
        self.expect_style("int x; \n", "white space")

    def test_unfinished(self):
        self.expect_style("// TO" "DO\n", "unfinished")

    def test_end(self):
        self.expect_style("int x;", "one line end")

    def test_licence(self):
        self.expect_style(SPDX, "more than once")
        self.write("src/net/x.c", "int x;\n")
        self.write("bench/CMakeLists.txt", "project(x)\n")
        self.write("tools/run", "#!/bin/sh\ntrue\n")
        self.expect(style.check(self.root), "bench/CMakeLists.txt:1", "src/net/x.c:1",
                    "tools/run:2")

    def test_guard(self):
        self.write("src/net/x.h", header("src/net/y.h"))
        self.expect_style("", "no header guard SIGNPOST_NET_X_H")


class Purity(Scratch):
    ALLOW = {"memcpy", "_GLOBAL_OFFSET_TABLE_"}

    def archive(self, code):
        self.write("a.c", code)
        names = [os.path.join(self.root, name) for name in ("a.c", "a.o", "liba.a")]
        subprocess.run([TOOLS["--cc"], "-O1", "-c", names[0], "-o", names[1]], check=True)
        subprocess.run(["ar", "rc", names[2], names[1]], check=True)
        return names[2]

    def expect_needs(self, code, *texts):
        self.expect(purity.check_needs(TOOLS["--nm"], self.ALLOW, [self.archive(code)]), *texts)

    def expect_state(self, code, *texts):
        self.expect(purity.check_state(TOOLS["--nm"], [self.archive(code)]), *texts)

    def test_good(self):
        code = """
            #include <string.h>
            static const char *const texts[] = {"a", "b"};
            const char *g(int i);
            const char *g(int i) { return texts[i]; }
            const char *f(char *a, const char *b, size_t n) { memcpy(a, b, n); return g(1); }
        """
        self.expect_needs(code)
        self.expect_state(code)

    def test_clock_and_socket(self):
        self.expect_needs(
            "#include <sys/socket.h>\n#include <time.h>\n"
            "long f(void) { return time(NULL) + socket(AF_INET, SOCK_DGRAM, 0); }",
            "needs socket", "needs time")

    def test_nothing_there(self):
        self.expect_needs("", "no symbols at all")

    def test_global(self):
        self.expect_state("int count; static int n = 1; int f(void) { return n += count; }",
                          "count is a variable", "n is a variable")

    def test_static_local(self):
        self.expect_state("int f(void) { static int n; return ++n; }", "is a variable")

    def test_thread_local(self):
        self.expect_state("_Thread_local int t;", "t is a variable")

    def test_list_of_the_tree(self):
        path = os.path.join(os.path.dirname(__file__), "core_symbols.allow")
        names = purity.allowed(path)
        self.assertIn("memcpy", names)
        self.assertFalse(names & {"socket", "time", "clock_gettime", "fopen", "getenv", "exit"})


class Tables(Scratch):
    METRIC = '    X(A, COUNTER, "signpost_a_total", "", "Help, (so).")'

    def setUp(self):
        super().setUp()
        self.write(tables.METHODS, "#define METHODS(X) \\\n    X(INVITE, true) \\\n"
                   "    X(INFO, false) \\\n    X(ACK, true)\n")
        self.write(tables.METHOD_TEXTS, 'return SLICE("INVITE, ACK");\n')
        self.write(tables.METRIC_ROWS, '{"signpost_r_total", 0}\n')
        self.metrics(self.METRIC, '    X(B, GAUGE, "signpost_b", "", "Two " \\\n      "parts.")')
        self.write(tables.OPTIONS, "#define OPTIONS(X) \\\n"
                   '    X(UINT, W, w, "workers", \'w\', "", 0, 1, ("0", "x"), "N", "So (1, 2).")\n')
        self.write(tables.EXAMPLE, "workers: 0\n")

    def metrics(self, *lines):
        self.write(tables.METRICS, " \\\n".join(["#define METRICS(X)", *lines]) + "\n")

    def expect_texts(self, *texts):
        self.expect(tables.check_texts(self.root), *texts)

    def test_good(self):
        self.write("README.md", "| `signpost_a_total` | \n| `signpost_b` | b\n"
                   "| `signpost_r_total` |\n")
        self.expect_texts()
        self.assertEqual(tables.rows(tree.read(self.root, tables.OPTIONS), "OPTIONS")[0][-1],
                         "So (1, 2).")

    def test_allow(self):
        self.write(tables.METHOD_TEXTS, 'return SLICE("INVITE, ACK, INFO");\n')
        self.expect_texts('Allow list is not "INVITE, ACK"')

    def test_metric_name(self):
        self.metrics('    X(A, COUNTER, "signpost_A_total", "", "")')
        self.expect_texts("is no name")

    def test_metric_kind(self):
        self.metrics('    X(A, GAUGE, "signpost_a_total", "", "")')
        self.expect_texts("end in _total")

    def test_metric_rows_apart(self):
        self.metrics(self.METRIC, '    X(B, GAUGE, "signpost_b", "", "")', self.METRIC)
        self.expect_texts("side by side")

    def test_no_metrics(self):
        self.metrics()
        self.expect_texts("no table METRICS")

    def test_document(self):
        self.write("README.md", "| `signpost_a_total` |\n| `signpost_c` |\n")
        self.expect_texts("signpost_c does not exist", "signpost_b is missing",
                          "signpost_r_total is missing")

    def test_document_options(self):
        self.write("README.md", "| `-w`, `--workers N` |\n| `--wrkers` |\n" +
                   "".join(f"| `--{name}` |\n" for name in tables.COMMANDS))
        self.expect_texts("--wrkers does not exist")

    def test_layer_without_words(self):
        self.write("src/net/x.c", "")
        self.write("ARCHITECTURE.md", "`src/env` `src/sip` `src/state`\n")
        self.expect_texts("what src/net is for")

    def test_help(self):
        text = "".join(f"      --{name} X\n" for name in tables.COMMANDS)
        self.expect(tables.check_help(self.root, text + "  -w, --workers N\n"))
        self.expect(tables.check_help(self.root, text + "  --lost\n"), "--lost", "--workers")

    def test_example(self):
        self.expect(tables.check_example(self.root, "workers: 0\n"))
        self.expect(tables.check_example(self.root, "workers: 1\n"), "is not what")


class Coverage(Scratch):
    GOOD = "".join(f"| {section}.1 | this (MUST) | `s::a_test` | |\n"
                   for section in coverage.SECTIONS)

    def setUp(self):
        super().setUp()
        self.write("tests/unit/sip/x.c", "Test(s, a_test)\n// Test(s, gone)\n"
                   "Test(s,\n     wrapped, .signal = SIGABRT)\n")
        self.write("tests/e2e/test_x.py", "class X:\n    def test_y(self):\n")
        self.write("tests/rfc/4475/good.msg", "")
        self.write("tests/rfc/4475/good.expect", "")
        self.write("tests/rfc/4475/alone.msg", "")

    def expect_rows(self, text, *texts):
        self.write(coverage.TABLE, "# Title\n\n| section | requirement | test | note |\n"
                   "|---|---|---|---|\n" + self.GOOD + text)
        self.expect(coverage.check(self.root), *texts)

    def test_good(self):
        self.expect_rows("| 1 | a | `s::a_test`, `s::wrapped` | deviation: so |\n"
                         "| 1 | b | `test_x::test_y`, `4475/good` | as `s::a_test` of `x` says |\n"
                         "| 1 | c | | deviation: so |\n"
                         "| 1 | d | | not applicable because it is so |\n")

    def test_no_such_test(self):
        self.expect_rows("| 1 | a | `s::gone`, `t::a_test` | |\n| 1 | b | `test_x::test_z` | |\n"
                         "| 1 | c | `4475/alone` | |\n| 1 | d | | deviation: `s::lost` |\n",
                         "no test s::gone", "no test t::a_test", "no test test_x::test_z",
                         "no test 4475/alone", "no test s::lost")

    def test_neither_test_nor_reason(self):
        self.expect_rows("| 1 | a | | |\n| 1 | b | | later |\n", "neither", "neither")

    def test_no_row(self):
        self.expect_rows("| 1 | a | |\n| | b | `s::a_test` | |\n", "is no row", "is no row")

    def test_no_name(self):
        self.expect_rows("| 1 | a | s::a_test | |\n", "without `backquotes`")

    def test_section_without_a_row(self):
        self.write(coverage.TABLE, self.GOOD.replace("| 17.2.1 |", "| 17.1 |"))
        self.expect(coverage.check(self.root), "nothing about section 17.2")

    def test_no_table(self):
        self.expect(coverage.check(self.root), "does not exist")


class Built(Scratch):
    def test_dead_files(self):
        self.write("src/base/a.h", "")
        self.write("src/base/a.c", '#include "base/a.h"\n')
        self.write("tests/unit/base/a.c", "")
        names = ["src/base/a.c", "tests/unit/base/a.c"]
        for path in names:
            self.write("commands.json", json.dumps(
                [{"directory": self.root, "file": name} for name in names if name != path]))
            self.expect(built.check(self.root, os.path.join(self.root, "commands.json")), path)
        self.write("commands.json", json.dumps(
            [{"directory": self.root, "file": os.path.join(self.root, name)} for name in names]))
        self.expect(built.check(self.root, os.path.join(self.root, "commands.json")))
        self.write("src/base/b.h", "")
        self.expect(built.check(self.root, os.path.join(self.root, "commands.json")),
                    "src/base/b.h: no file includes it")


class Budgets(Scratch):
    def setUp(self):
        super().setUp()
        self.write("budgets", "# Kept.\nnew stateless 1000\nack stateful 100\n")
        patch = unittest.mock.patch.object(budgets, "BUDGETS", os.path.join(self.root, "budgets"))
        patch.start()
        self.addCleanup(patch.stop)

    def expect_verdict(self, ok, said, changes=()):
        """Of figures that just fit, but for the changes; None takes one away."""
        counted = {("new", "stateless"): 1000, ("ack", "stateful"): 100, **dict(changes)}
        rows = {key: types.SimpleNamespace(instructions=value)
                for key, value in counted.items() if value is not None}
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(budgets.compare(rows), ok)
        self.assertIn(said, out.getvalue())

    def test_within(self):
        self.expect_verdict(True, "new        stateless          1000     1000\n")
        self.expect_verdict(True, "", {("new", "stateless"): 900})

    def test_over(self):
        self.expect_verdict(False, "over budget by 0.1 %", {("new", "stateless"): 1001})

    def test_far_below(self):
        self.expect_verdict(False, "10.1 % below", {("new", "stateless"): 899})

    def test_no_budget_or_no_figure(self):
        self.expect_verdict(False, "has no budget", {("old", "stateful"): 1})
        self.expect_verdict(False, "for nothing", {("new", "stateless"): None})

    def test_update_makes_it_fit(self):
        rows = {("new", "stateless"): types.SimpleNamespace(instructions=700)}
        budgets.update(rows)
        self.assertEqual(budgets.read_budgets(), ("# Kept.\n", {("new", "stateless"): 714}))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    TOOLS.update(zip(arguments[::2], arguments[1::2]))
    unittest.main(argv=sys.argv[:1])
