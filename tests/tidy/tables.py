# SPDX-License-Identifier: Apache-2.0
"""tables.py ROOT SIGNPOSTD: what is declared in a table, and what is written elsewhere about the
same things, agree: the Allow header, metrics, options, --help, the example file, the documents."""

import os
import re
import subprocess

import tree

METHODS = "include/signpost/sip/method.h"
METHOD_TEXTS = "src/sip/method.c"
METRICS = "include/signpost/state/metrics.h"
METRIC_ROWS = "src/state/metrics.c"
OPTIONS = "src/env/options.h"
EXAMPLE = "tools/signpost.yaml.example"
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")

# Options that do not stand in a file, so not in the table either.
COMMANDS = {"config", "check-config", "print-config", "print-example", "version", "help"}

_FIELD = re.compile(r'"(?:\\.|[^"\\])*"|\((?:[^()"]|"[^"]*")*\)|[^,()"]+|,')


def rows(text, macro):
    """The rows of an X-macro table: a list of fields each, literals joined and unquoted."""
    body = re.search(rf"#define {macro}\(X\)((?:.*\\\n)+.*\n)", tree.without_comments(text))
    if body is None:
        return []
    found = []
    for row in re.split(r"^\s*X\(", body.group(1).replace("\\\n", "\n"), flags=re.MULTILINE)[1:]:
        fields = [""]
        for token in _FIELD.findall(row.rstrip()[:-1]):
            if token == ",":
                fields.append("")
            elif token.startswith('"'):
                fields[-1] += token[1:-1]
            else:
                fields[-1] += token.strip()
        found.append(fields)
    return found


def check_allow(root):
    allowed = ", ".join(name for name, allowed in rows(tree.read(root, METHODS), "METHODS")
                        if allowed == "true")
    if not allowed or f'SLICE("{allowed}")' not in tree.read(root, METHOD_TEXTS):
        yield f'{METHOD_TEXTS}: the Allow list is not "{allowed}", as in {METHODS}'


def check_metrics(root):
    table = rows(tree.read(root, METRICS), "METRICS")
    if not table:
        yield f"{METRICS}: no table METRICS"
    seen = {}
    previous = None
    for identifier, kind, name, _, text in table:
        if not re.fullmatch(r"signpost_[a-z0-9_]*[a-z0-9]", name):
            yield f"{METRICS}: {identifier}: '{name}' is no name of a metric"
        if name.endswith("_total") != (kind == "COUNTER"):
            yield f"{METRICS}: {name}: counters, and only they, end in _total"
        if name in seen and (name != previous or seen[name] != (kind, text)):
            yield f"{METRICS}: {name}: its rows must stand side by side, with one kind and help"
        seen[name] = (kind, text)
        previous = name


def metric_names(root):
    names = {name for _, _, name, _, _ in rows(tree.read(root, METRICS), "METRICS")}
    return names | set(re.findall(r'"(signpost_\w+)"', tree.read(root, METRIC_ROWS)))


def option_names(root):
    return {row[3] for row in rows(tree.read(root, OPTIONS), "OPTIONS")}


def check_documents(root, start, known):
    """A document that lists any of the things in a table's first column lists all of them."""
    pattern = re.compile(rf"^\| *`(?:-\w`?,? *`?)?({start}[\w-]+)", re.MULTILINE)
    for document in DOCUMENTS:
        if not os.path.isfile(os.path.join(root, document)):
            continue
        listed = set(pattern.findall(tree.read(root, document)))
        for name in sorted(listed - known):
            yield f"{document}: {name} does not exist"
        for name in sorted(known - listed if listed else ()):
            yield f"{document}: {name} is missing among its likes"


def check_layers_documented(root):
    path = "ARCHITECTURE.md"
    if os.path.isfile(os.path.join(root, path)):
        text = tree.read(root, path)
        for layer in sorted(os.listdir(os.path.join(root, "src"))):
            if os.path.isdir(os.path.join(root, "src", layer)) and f"src/{layer}" not in text:
                yield f"{path}: does not say what src/{layer} is for"


def printed(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def check_help(root, text):
    known = option_names(root) | COMMANDS
    listed = set(re.findall(r"^ *(?:-\w, *)?--([a-z][a-z0-9-]*)", text, re.MULTILINE))
    for name in sorted(listed ^ known):
        yield f"--help and {OPTIONS} disagree about --{name}"


def check_example(root, text):
    there = os.path.isfile(os.path.join(root, EXAMPLE))
    if not there or tree.read(root, EXAMPLE) != text:
        yield f"{EXAMPLE}: is not what signpostd --print-example prints"


def check_texts(root):
    """Everything that needs no program."""
    options = {f"--{name}" for name in option_names(root) | COMMANDS}
    return [*check_allow(root), *check_metrics(root), *check_layers_documented(root),
            *check_documents(root, "signpost_", metric_names(root)),
            *check_documents(root, "--", options)]


def check(root, signpostd):
    return [*check_texts(root), *check_help(root, printed(signpostd, "--help")),
            *check_example(root, printed(signpostd, "--print-example"))]


if __name__ == "__main__":
    tree.main(check)
