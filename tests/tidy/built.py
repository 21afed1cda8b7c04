# SPDX-License-Identifier: Apache-2.0
"""built.py ROOT COMPILE_COMMANDS: no dead files. Some target compiles every .c file, and some file
includes every header."""

import json
import os

import tree

FOLDERS = ("src", "include", "bench", "tests", "tools")


def check(root, compile_commands):
    with open(compile_commands, encoding="utf-8") as file:
        built = {os.path.realpath(os.path.join(row["directory"], row["file"]))
                 for row in json.load(file)}
    sources = [path for path in tree.files(root, *FOLDERS) if tree.is_c(path)]
    included = {os.path.basename(include)
                for path in sources for _, _, include in tree.includes(tree.read(root, path))}
    findings = []
    for path in sources:
        if path.endswith(".c") and os.path.realpath(os.path.join(root, path)) not in built:
            findings.append(f"{path}: no target compiles it")
        elif path.endswith(".h") and os.path.basename(path) not in included:
            findings.append(f"{path}: no file includes it")
    return findings


if __name__ == "__main__":
    tree.main(check)
