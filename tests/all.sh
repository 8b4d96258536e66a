#!/bin/sh
# All tests: plain build, sanitizer build, a build without the optional libraries, make distcheck. Every check is counted; the
# last line is "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 1
source=$(pwd)
work=${EXTRIAGE_TEST_DIR:-$source/build/test}
jobs=$(nproc 2>/dev/null || echo 2)
passed=0 failed=0 skipped=0

# Where the samples lie that nobody here wrote; tests that need them skip when they are not there.
EXTRIAGE_DATA=${EXTRIAGE_DATA:-$source/../shared/data}
export EXTRIAGE_DATA

step() {
    name=$1
    shift
    started=$(date +%s)
    if "$@" >"$work/$name.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok - $name ($(($(date +%s) - started)) s)"
    else
        failed=$((failed + 1))
        echo "not ok - $name ($(($(date +%s) - started)) s); the end of its output:"
        tail -n 40 "$work/$name.log"
    fi
}

configure_and_make() {
    folder=$work/$1
    shift
    mkdir -p "$folder" && cd "$folder" && "$source/configure" --quiet "$@" && make -s -j"$jobs"
}

# Adds the counts of a build's `make check`, and shows what failed.
count_checks() {
    log=$work/$1/test-suite-counts
    (cd "$work/$1" && make -s -k -j"$jobs" check VERBOSE= >"$work/$1-check.log" 2>&1)
    cat "$work/$1"/tests/*.trs "$work/$1"/tests/*/*.trs 2>/dev/null |
        sed -n 's/^:test-result: \([A-Z]*\).*/\1/p' >"$log"
    pass=$(grep -c -e '^PASS$' -e '^XFAIL$' "$log")
    fail=$(grep -c -e '^FAIL$' -e '^ERROR$' -e '^XPASS$' "$log")
    skip=$(grep -c '^SKIP$' "$log")
    # A check that never ran must not look like one that passed.
    [ "$((pass + fail))" -gt 0 ] || fail=1
    passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + skip))
    echo "$1: $pass passed, $fail failed, $skip skipped"
    if [ "$fail" -gt 0 ]; then
        grep -h '^not ok' "$work/$1"/tests/*.log "$work/$1"/tests/*/*.log 2>/dev/null | head -n 60
        grep -e 'error:' -e '^ERROR' "$work/$1-check.log" | head -n 20
        tail -n 15 "$work/$1-check.log"
    fi
}

rm -rf "$work"
mkdir -p "$work"
step autogen ./autogen.sh
step plain configure_and_make plain --enable-werror
count_checks plain
step sanitizers configure_and_make sanitizers --enable-werror CC=clang \
    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
count_checks sanitizers
step layout sh -c "cd '$source' && find triage artifacts tests fixtures -name '*.[ch]' -exec clang-format --dry-run -Werror {} +"
step without-options configure_and_make without --enable-werror --without-yara --without-seccomp --without-deflate \
    --without-vshadow --without-bde --without-esedb --without-evt
step distcheck sh -c "cd '$work/plain' && make -s -j$jobs distcheck"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
