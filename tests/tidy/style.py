# SPDX-License-Identifier: Apache-2.0
"""style.py ROOT: the rules of CONTRIBUTING.md that neither clang-format nor clang-tidy knows."""

import re

import tree

LINE_COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 700

LICENCE = "SPDX-License-Identifier: Apache-2.0"

# Calls that no file of ours makes: unbounded, unchecked, or with a hidden global.
BANNED = re.compile(
    r"\b(strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|"
    r"scanf|sscanf|fscanf|alloca|system|popen|tmpnam|mktemp|rand|srand|gmtime|localtime|asctime|"
    r"ctime|setjmp|longjmp)\s*\(")
# Time is an argument (struct now); one module reads the clock for it.
CLOCK = re.compile(r"\b(time|gettimeofday|clock_gettime|clock)\s*\(")
CLOCK_READER = "src/env/clock.c"

TYPEDEF = re.compile(r"\btypedef\s+(struct|union|enum)\b")
TAG = re.compile(r"\b(?:struct|union|enum)\s+(\w*[A-Z]\w*)\s*\{")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def guard_of(path):
    """The header's path as its includers write it, with SIGNPOST_ for the server's:
    src/net/ring.h is SIGNPOST_NET_RING_H, bench/sipflood/pace.h SIPFLOOD_PACE_H."""
    for folder, prefix in (("include/signpost/", "SIGNPOST_"), ("src/", "SIGNPOST_"),
                           ("tests/", "SIGNPOST_TESTS_"), ("bench/", ""), ("tools/", "")):
        if path.startswith(folder):
            path = prefix + path[len(folder):]
    return re.sub(r"[^A-Za-z0-9]", "_", path).upper()


def check_header(path, lines):
    guard = guard_of(path)
    code = [line for line in lines if line and not line.startswith("//")]
    if code[:2] != [f"#ifndef {guard}", f"#define {guard}"] or code[-1] != "#endif":
        yield f"{path}: no header guard {guard} around everything"


def check_licence(path, lines, mark):
    where = 1 if lines[0].startswith("#!") else 0
    if lines[where:where + 1] != [f"{mark} {LICENCE}"]:
        yield f"{path}:{where + 1}: not the line '{mark} {LICENCE}'"
    if sum(line == f"{mark} {LICENCE}" for line in lines) > 1:
        yield f"{path}: names its licence more than once"


def check_lines(path, lines):
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX and not tree.is_cmake(path):
            yield f"{path}:{number}: {len(line)} columns, more than {LINE_COLUMNS_MAX}"
        if line != line.rstrip():
            yield f"{path}:{number}: white space at the end"
        if UNFINISHED.search(line):
            yield f"{path}:{number}: says that something is unfinished"
    if len(lines) > FILE_LINES_MAX:
        yield f"{path}: {len(lines)} lines, more than {FILE_LINES_MAX}"


def check_functions(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":  # clang-format puts only a function's brace there
            start = number
        elif line == "}" and start:
            length = number - start + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{path}:{start}: function of {length} lines, more than {FUNCTION_LINES_MAX}"
            start = None


def check_code(path, lines):
    rules = [(BANNED, "calls"), (TYPEDEF, "hides a type behind"), (TAG, "capitals in the tag")]
    if path.startswith(("src/", "include/")) and path != CLOCK_READER:
        rules.append((CLOCK, "reads the clock itself with"))
    for number, line in enumerate(lines, 1):
        for rule, what in rules:
            match = rule.search(line)
            if match:
                yield f"{path}:{number}: {what} {match.group(1)}"


def check_file(root, path):
    is_c = tree.is_c(path)
    mark = "//" if is_c else "#"
    if not is_c and not tree.is_cmake(path) and not tree.is_script(root, path):
        return
    text = tree.read(root, path)
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield f"{path}: does not end with one line end"
    lines = text.removesuffix("\n").split("\n")
    yield from check_licence(path, lines, mark)
    yield from check_lines(path, lines)
    if is_c:
        code = tree.code_only(text).split("\n")
        yield from check_functions(path, lines)
        yield from check_code(path, code)
    if path.endswith(".h"):
        yield from check_header(path, lines)


def check(root):
    return [finding for path in tree.files(root) for finding in check_file(root, path)]


if __name__ == "__main__":
    tree.main(check)
