#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# short_run.sh FUZZER CORPUS [RUNS]: a fixed number of inputs from a fixed seed; without RUNS, what
# takes a few seconds. A finding is kept beside the fuzzer; it belongs into CORPUS together with
# the mending.
set -euo pipefail

fuzzer=$1
corpus=$2
case ${fuzzer##*/} in
fuzz_uas) runs=15000 ;; # each a whole exchange, twice
*) runs=50000 ;;
esac
runs=${3:-$runs}
found=$fuzzer.found
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
mkdir -p "$found"
"$fuzzer" -seed=1 -runs="$runs" -max_len=65535 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$found/" "$new" "$corpus"
