# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What tools/run, tools/test and bench/compare share; sourced by them.

export LC_ALL=C.UTF-8

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
me=tools/$(basename -- "$0")

# To build and run the server.
build_packages=(gcc libc6-dev cmake ninja-build pkgconf
    uthash-dev libcyaml-dev libyaml-dev libevent-dev libssl-dev libjansson-dev
    librocksdb-dev)

# To check it: unit tests, a second compiler with its sanitizers and linters, phones.
test_packages=(libcriterion-dev clang clang-format clang-tidy libclang-rt-14-dev
    llvm-14 python3 sip-tester baresip-core iproute2 valgrind)

# To measure it beside its peer (bench/compare).
compare_packages=(kamailio gnuplot-nox fonts-dejavu-core python3 util-linux)

say() {
    printf '%s: %s\n' "$me" "$*" >&2 || true # nobody may be listening
}

die() {
    say "$*"
    exit 1
}

# quietly WHAT COMMAND...: says WHAT; shows what the command printed only when it fails.
quietly() {
    local what=$1 log
    shift
    say "$what"
    log=$(mktemp)
    if "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
        return 0
    fi
    cat "$log" >&2
    rm -f "$log"
    die "failed: $what"
}

# Those of the arguments that are not installed, in one line.
missing_packages() {
    local package installed missing=()
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for package; do
        grep -Fqx "$package installed" <<<"$installed" || missing+=("$package")
    done
    printf '%s\n' "${missing[*]-}"
}

# Installs what is missing of the arguments; without anything missing, apt is not called at all.
need_packages() {
    local missing as_root=()
    command -v apt-get >/dev/null || die "needs apt-get (CONTRIBUTING.md)"
    read -ra missing <<<"$(missing_packages "$@")"
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "needs root or sudo to install: ${missing[*]}"
        [ ! -t 0 ] || sudo -v # asks for the password here, where the question is seen
        as_root=(sudo)
    fi
    quietly "installing ${missing[*]}" update_and_install "${as_root[@]}"
}

# update_and_install [sudo]: of the caller's `missing`.
update_and_install() {
    local apt=("$@" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
    "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"
}

# build PRESET [--target TARGET]... [-- CMAKE_OPTION...], in the tree's root.
build() {
    local preset=$1 target=()
    shift
    while [ "${1-}" = --target ]; do
        target+=(--target "$2")
        shift 2
    done
    [ "${1-}" != -- ] || shift
    # A checkout that was moved or copied brings a build directory that points elsewhere.
    if [ -e "build/$preset/CMakeCache.txt" ] &&
        ! grep -Fqx "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "build/$preset/CMakeCache.txt"; then
        set -- --fresh "$@"
    fi
    quietly "configuring $preset" cmake --preset "$preset" "$@"
    quietly "building $preset" cmake --build --preset "$preset" "${target[@]}" -- --quiet
}
