# SPDX-License-Identifier: Apache-2.0
"""The source tree as the checks see it: its files, and C text without comments or literals."""

import os
import re
import sys

SKIPPED = {".git", ".cache", "build", "__pycache__", "node_modules"}

_TOKENS = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def files(root, *folders):
    """Paths relative to root, with slashes, of all files under the folders (or the whole tree)."""
    found = []
    for folder in folders or ("",):
        for where, subfolders, names in os.walk(os.path.join(root, folder)):
            subfolders[:] = sorted(set(subfolders) - SKIPPED)
            found += [os.path.relpath(os.path.join(where, name), root) for name in sorted(names)]
    return found


def is_c(path):
    return path.endswith((".c", ".h"))


def is_cmake(path):
    return os.path.basename(path) == "CMakeLists.txt" or path.endswith(".cmake")


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", newline="") as file:
        return file.read()


def is_script(root, path):
    if path.endswith((".py", ".sh")):
        return True
    with open(os.path.join(root, path), "rb") as file:
        return file.read(2) == b"#!"


def _blank(text, literals):
    def replace(match):
        token = match.group()
        if token[0] in "\"'" and not literals:
            return token
        return re.sub(r"[^\n]", " ", token)

    return _TOKENS.sub(replace, text)


def without_comments(text):
    """The text with every comment blanked; lines keep their numbers."""
    return _blank(text, literals=False)


def code_only(text):
    """The text with every comment, string and character literal blanked."""
    return _blank(text, literals=True)


def includes(text):
    """(line number, True for <system> style, path) of every #include."""
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        match = _INCLUDE.match(line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def report(findings):
    """Prints the findings and returns the exit status."""
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings" if findings else "nothing found")
    return 1 if findings else 0


def main(check):
    """Runs check(*arguments of the command line)."""
    sys.exit(report(check(*sys.argv[1:])))
