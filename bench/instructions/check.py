#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what one uas_handle executes for each kind of request, and compares with the budgets.

The program `instructions` of the release preset runs under callgrind, which counts instructions
exactly. The exit status is 1 when a kind exceeds its budget, or stays so far below it that the
budget no longer guards what has been gained; 77 where the budgets do not apply."""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUDGETS = os.path.join(HERE, "budgets")
PROGRAM = os.path.join(HERE, "../../build/release/bench/instructions")

MARGIN = 0.02  # what --update adds: room for a line more here or there, not for a slower way
LOOSE = 0.10   # so far below its budget a figure means that the budget is out of date
SKIPPED = 77

# glibc chooses its memcpy, memchr and the like by the machine's CPU, which moves figures by up to
# 2 %, as much as the margin. So the variants of plain x86-64 are counted everywhere.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX,-BMI2,-ERMS,"
                                 "-FSRM,-SSE4_2,-SSE4_1,-SSSE3,-Fast_Unaligned_Copy"}


class Figure:
    """What callgrind has counted over a number of requests of one kind."""

    def __init__(self, path, requests):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # The two disagreed by 7 % when costs were set to zero in the middle of a run.
        total, check = (int(re.search(rf"^{word}: (\d+)", text, re.MULTILINE).group(1))
                        for word in ("summary", "totals"))
        if total == 0 or total != check:
            sys.exit(f"{path}: counts of {total} and {check} make no sense")
        self.path = path
        self.requests = requests
        self.instructions = round(total / requests)


def count(program, folder):
    """{(kind, mode): Figure}"""
    command = ["valgrind", "--tool=callgrind", "--collect-atstart=no",
               "--toggle-collect=counted_handle",
               f"--callgrind-out-file={folder}/%p", program]
    # Without the caller's environment, whose size would move the stack.
    done = subprocess.run(command, env=ENVIRONMENT, cwd=folder, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{done.stderr}{' '.join(command)}: exit status {done.returncode}")
    figures = {}
    for line in done.stdout.splitlines():
        kind, mode, requests, process = line.split()
        figures[kind, mode] = Figure(os.path.join(folder, process), int(requests))
    return figures


def read_budgets():
    """The comment above the rows, and {(kind, mode): budget}."""
    head, budgets = "", {}
    with open(BUDGETS, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                head += line
            else:
                kind, mode, budget = line.split()
                budgets[kind, mode] = int(budget)
    return head, budgets


def with_margin(figure):
    return round(figure * (1 + MARGIN))


def update(figures):
    head, _ = read_budgets()
    with open(BUDGETS, "w", encoding="utf-8") as file:
        file.write(head)
        for (kind, mode), figure in figures.items():
            file.write(f"{kind:<10} {mode:<10} {with_margin(figure.instructions):>6}\n")


def verdict(figure, budget):
    if budget is None:
        return "has no budget"
    if figure > budget:
        return f"over budget by {100 * (figure / budget - 1):.1f} %"
    if figure < (1 - LOOSE) * budget:
        return f"{100 * (1 - figure / budget):.1f} % below its budget: tighten it"
    return ""


def compare(figures):
    """Prints the table. True when every kind is within its budget and near it."""
    _, budgets = read_budgets()
    ok = True
    print(f"{'kind':<10} {'mode':<10} {'instructions':>12} {'budget':>8}")
    for (kind, mode), figure in figures.items():
        budget = budgets.pop((kind, mode), None)
        said = verdict(figure.instructions, budget)
        ok = ok and not said
        print(f"{kind:<10} {mode:<10} {figure.instructions:>12} {budget or '-':>8}  {said}"
              .rstrip())
    for kind, mode in budgets:
        ok = False
        print(f"{kind:<10} {mode:<10} {'-':>12}  a budget for nothing")
    if not ok:
        print("\nIf this is meant, or a gain: bench/instructions/check.py --update writes "
              "budgets that fit (commit them with the change).\nTo see where instructions go: "
              "bench/instructions/check.py --annotate KIND MODE")
    return ok


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", nargs="?", default=PROGRAM,
                        help="the program to count (default: the release preset's)")
    parser.add_argument("--update", action="store_true",
                        help=f"write what is counted now, plus {MARGIN:.0%}%, as the budgets")
    parser.add_argument("--annotate", nargs=2, metavar=("KIND", "MODE"),
                        help="show in which functions one kind spends its instructions")
    return parser.parse_args()


def annotate(figures, kind, mode):
    """Prints how many instructions a request takes in each function."""
    if (kind, mode) not in figures:
        sys.exit(f"{kind} {mode}: there is " + ", ".join(" ".join(pair) for pair in figures))
    figure = figures[kind, mode]
    command = ["callgrind_annotate", "--auto=no", "--threshold=100", figure.path]
    text = subprocess.run(command, check=True, text=True, capture_output=True).stdout
    print(f"{figure.instructions:>8}         {kind} {mode}")
    for own, function in re.findall(r"^ *([\d,]+) \(.*?\)  \S*?([^:/\n]*:\S+)", text, re.MULTILINE):
        own = int(own.replace(",", "")) / figure.requests
        print(f"{own:>8.0f} {own / figure.instructions:>7.1%} {function}")


def main():
    options = arguments()
    if platform.machine() != "x86_64":
        print("skipped: the budgets are of x86-64")
        return SKIPPED
    if shutil.which("valgrind") is None:
        sys.exit("needs valgrind: install the package valgrind, or run tools/test, which does")
    with tempfile.TemporaryDirectory() as folder:
        figures = count(os.path.abspath(options.program), folder)
        if options.annotate:
            annotate(figures, *options.annotate)
        elif options.update:
            update(figures)
        else:
            return 0 if compare(figures) else 1
    return 0


def main_into_pipe():
    """main, for one who may close the pipe before the end, as `head` does."""
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main_into_pipe())
