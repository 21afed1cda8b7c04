#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# short_run.sh FUZZER CORPUS [RUNS]: a fixed number of inputs from a fixed seed. A finding is kept
# beside the fuzzer; it belongs into CORPUS together with the mending.
set -euo pipefail

fuzzer=$1
corpus=$2
runs=${3:-50000}
found=$fuzzer.found
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
mkdir -p "$found"
"$fuzzer" -seed=1 -runs="$runs" -max_len=65535 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$found/" "$new" "$corpus"
