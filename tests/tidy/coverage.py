# SPDX-License-Identifier: Apache-2.0
"""coverage.py ROOT: every row of tests/rfc/COVERAGE.md names tests that exist, or says why there is
none."""

import os
import re

import tree

TABLE = "tests/rfc/COVERAGE.md"
COLUMNS = ["section", "requirement", "test", "note"]
REASONS = ("deviation: ", "not applicable because ")
# Sections that must not be without a row.
SECTIONS = ("8.2", "8.3", "10.3", "17.2", "18.2", "19.1")

_UNIT = re.compile(r"^(?:Parameterized)?Test\(\s*(\w+),\s*(\w+)", re.MULTILINE)
_E2E = re.compile(r"^ +def (test_\w+)\(", re.MULTILINE)
_NAME = re.compile(r"`([^`]+)`")
_TEST = re.compile(r"\w+::|\d+/")  # what a note mentions as a test


def unit_tests(root):
    return {f"{suite}::{name}" for path in tree.files(root, "tests/unit") if path.endswith(".c")
            for suite, name in _UNIT.findall(tree.without_comments(tree.read(root, path)))}


def e2e_tests(root):
    return {f"{os.path.basename(path)[:-3]}::{name}" for path in tree.files(root, "tests/e2e")
            if path.endswith(".py") for name in _E2E.findall(tree.read(root, path))}


def messages(root):
    """The messages that have an expectation: "4475/inv2543"."""
    found = set(tree.files(root, "tests/rfc"))
    return {path[len("tests/rfc/"):-len(".msg")] for path in found
            if path.endswith(".msg") and path[:-len(".msg")] + ".expect" in found}


def rows(text):
    """(line number, cells) of every row of every table, without heads and rules."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            cells = [cell.strip() for cell in line.strip().removesuffix("|")[1:].split("|")]
            if cells != COLUMNS:
                yield number, cells


def check_row(place, cells, tests):
    if len(cells) != len(COLUMNS) or not cells[0] or not cells[1]:
        yield f"{place}: is no row of section, requirement, test and note"
        return
    _, _, named, note = cells
    if _NAME.sub("", named).strip(" ,"):
        yield f"{place}: names a test without `backquotes`"
    for name in _NAME.findall(named) + [x for x in _NAME.findall(note) if _TEST.match(x)]:
        if name not in tests:
            yield f"{place}: there is no test {name}"
    if not named and not note.startswith(REASONS):
        yield f"{place}: has neither a test nor a reason"


def check(root):
    if not os.path.isfile(os.path.join(root, TABLE)):
        return [f"{TABLE}: does not exist"]
    tests = unit_tests(root) | e2e_tests(root) | messages(root)
    table = list(rows(tree.read(root, TABLE)))
    findings = []
    for number, cells in table:
        findings += check_row(f"{TABLE}:{number}", cells, tests)
    for section in SECTIONS:
        if not any(cells[0].startswith(section) for _, cells in table):
            findings.append(f"{TABLE}: says nothing about section {section}")
    return findings


if __name__ == "__main__":
    tree.main(check)
