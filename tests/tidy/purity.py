# SPDX-License-Identifier: Apache-2.0
"""purity.py [--allow FILE] ARCHIVE...: what the symbol tables prove.

With --allow: the archives need nothing from outside but the symbols in FILE, so the core can
neither reach a socket nor a file nor a clock. Without: they hold no variable that can change."""

import argparse
import re
import subprocess
import sys

import tree

MUTABLE = re.compile(r"^(\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*)")


def symbols(nm, archive):
    """(object, name, True when defined, section) of every symbol in the archive."""
    table = subprocess.run([nm, "--format=sysv", archive], check=True, capture_output=True,
                           text=True).stdout
    member = archive
    for line in table.split("\n"):
        columns = [column.strip() for column in line.split("|")]
        if len(columns) == 7 and columns[0] != "Name":
            yield member, columns[0], columns[2] != "U", columns[6]
        elif line.startswith("Symbols from "):
            member = line.removeprefix("Symbols from ").rstrip(":")


def allowed(path):
    with open(path, encoding="utf-8") as file:
        return {line.split("#")[0].strip() for line in file} - {""}


def check_needs(nm, allow, archives):
    rows = [row for archive in archives for row in symbols(nm, archive)]
    if not rows:
        return [f"{' '.join(archives)}: no symbols at all"]
    known = {name for _, name, defined, _ in rows if defined} | allow
    return [f"{member}: needs {name}, which the core may not"
            for member, name, _, _ in rows if name not in known]


def check_state(nm, archives):
    return [f"{member}: {name} is a variable that can change ({section})"
            for archive in archives for member, name, _, section in symbols(nm, archive)
            if MUTABLE.match(section) and not section == name]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--allow")
    parser.add_argument("archives", nargs="+")
    options = parser.parse_args()
    if options.allow:
        return tree.report(check_needs(options.nm, allowed(options.allow), options.archives))
    return tree.report(check_state(options.nm, options.archives))


if __name__ == "__main__":
    sys.exit(main())
