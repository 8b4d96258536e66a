#!/bin/sh
# All tests: plain build, sanitizer build, a short fuzzing, the tarball built without the optional libraries. Every check is counted; the
# last line is "N passed, N failed, N skipped".
#
# Each thing is shown where it costs least. The plain build runs all tests. What is not about C code runs there alone (CHECK_ONCE in
# tests/local.mk). The sanitizer build goes each path once (EXTRIAGE_BRIEF, tap.py): that outputs are the same with any number of workers, and
# the chance of many kills and damaged places, are the plain build's to show. It makes fewer inputs of each fuzz seed, as the fuzzer itself
# follows, in the same build: FUZZ_SECONDS in all, shared among the targets, at least 1 for each. The tarball (make distcheck) has each file
# that git has; its tests are the quick ones (QUICK_TESTS), in a build that lacks each library that may be missing.
set -u
cd "$(dirname "$0")/.." || exit 1
source=$(pwd)
work=${EXTRIAGE_TEST_DIR:-$source/build/test}
jobs=$(nproc 2>/dev/null || echo 2)
fuzz_seconds=${FUZZ_SECONDS:-60}
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

# The tests that took longest, with their seconds: from when a log was begun to when its result was written.
longest() {
    find "$1/tests" -name '*.trs' | while read -r trs; do
        log=${trs%.trs}.log
        begun=$(stat -c %W "$log" 2>/dev/null) # 0 or '-' where the file system does not say
        [ "${begun:-0}" -gt 0 ] 2>/dev/null && echo "$(($(stat -c %Y "$trs") - begun)) $(basename "$log" .log)"
    done | sort -rn | head -n 6 | awk '{printf "%s%s %s s", (NR > 1 ? ", " : ""), $2, $1}'
}

# Adds the counts of a build's `make check`, and shows what failed. More arguments are for make.
count_checks() {
    build=$1
    shift
    log=$work/$build/test-suite-counts
    started=$(date +%s)
    (cd "$work/$build" && make -s -k -j"$jobs" check VERBOSE= "$@" >"$work/$build-check.log" 2>&1)
    cat "$work/$build"/tests/*.trs "$work/$build"/tests/*/*.trs 2>/dev/null |
        sed -n 's/^:test-result: \([A-Z]*\).*/\1/p' >"$log"
    pass=$(grep -c -e '^PASS$' -e '^XFAIL$' "$log")
    fail=$(grep -c -e '^FAIL$' -e '^ERROR$' -e '^XPASS$' "$log")
    skip=$(grep -c '^SKIP$' "$log")
    # A check that never ran must not look like one that passed.
    [ "$((pass + fail))" -gt 0 ] || fail=1
    passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + skip))
    echo "$build: $pass passed, $fail failed, $skip skipped ($(($(date +%s) - started)) s); longest: $(longest "$work/$build")"
    if [ "$fail" -gt 0 ]; then
        grep -h '^not ok' "$work/$build"/tests/*.log "$work/$build"/tests/*/*.log 2>/dev/null | head -n 60
        grep -e 'error:' -e '^ERROR' "$work/$build-check.log" | head -n 20
        tail -n 15 "$work/$build-check.log"
    fi
}

# Each target is a check of its own; as many processes as there are processors share them.
fuzz() {
    started=$(date +%s)
    cd "$work/sanitizers" || return
    make -s -j"$jobs" fuzz-programs >"$work/fuzz.log" 2>&1
    targets=$(tests/fuzz/replay --list)
    each=$((fuzz_seconds * jobs / $(printf '%s\n' "$targets" | wc -l)))
    [ "$each" -gt 0 ] || each=1
    for share in $(seq 1 "$jobs"); do
        mkdir -p "fuzz-$share"
        # shellcheck disable=SC2046
        (cd "fuzz-$share" && exec env EXTRIAGE_RULES="$source/rules" "$source/tests/fuzz/fuzz.sh" ../tests/fuzz/fuzzer ../tests/fuzz/replay "$each" \
            $(printf '%s\n' "$targets" | awk -v share="$share" -v jobs="$jobs" 'NR % jobs == share % jobs')) >"$work/fuzz-$share.log" 2>&1 &
    done
    wait
    cat "$work"/fuzz-[0-9]*.log >>"$work/fuzz.log"
    pass=$(grep -c '^ok - ' "$work/fuzz.log")
    fail=$(grep -c '^not ok - ' "$work/fuzz.log")
    [ "$((pass + fail))" -eq "$(printf '%s\n' "$targets" | wc -l)" ] || fail=$((fail + 1))
    passed=$((passed + pass)) failed=$((failed + fail))
    echo "fuzz: $pass targets passed, $fail failed, $each s each ($(($(date +%s) - started)) s)"
    [ "$fail" -eq 0 ] || { grep '^not ok' "$work/fuzz.log"; tail -n 20 "$work/fuzz.log"; }
    cd "$source" || exit 1
}

# What git has must be in the tarball: a test that lacks its data there would be skipped, or never be missed.
tarball_is_whole() {
    tarball=$(ls "$work"/plain/extriage-*.tar.*) || return 1
    git -C "$source" ls-files >"$work/tracked" 2>/dev/null || { echo "no git here"; return 0; }
    tar -tf "$tarball" | sed 's|^[^/]*/||' | sort >"$work/packed"
    grep -v -e '^\.gitignore$' "$work/tracked" | sort | comm -23 - "$work/packed" >"$work/unpacked"
    sed 's/^/not in the tarball: /' "$work/unpacked"
    [ ! -s "$work/unpacked" ]
}

rm -rf "$work"
mkdir -p "$work"
step autogen ./autogen.sh
step plain configure_and_make plain --enable-werror
count_checks plain
step sanitizers configure_and_make sanitizers --enable-werror CC=clang \
    CFLAGS='-O1 -g1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
REPLAY_INPUTS=${REPLAY_INPUTS:-300} REPLAY_SECONDS=${REPLAY_SECONDS:-1} REPLAY_IMAGES=${REPLAY_IMAGES:-100} EXTRIAGE_BRIEF=1
export REPLAY_INPUTS REPLAY_SECONDS REPLAY_IMAGES EXTRIAGE_BRIEF
count_checks sanitizers CHECK_ONCE=
fuzz
unset EXTRIAGE_BRIEF
step layout sh -c "cd '$source' && find triage artifacts tests fixtures -name '*.[ch]' -exec clang-format --dry-run -Werror {} +"
step distcheck sh -c "cd '$work/plain' && make -s -j$jobs distcheck-quick DISTCHECK_CONFIGURE_FLAGS='--enable-werror --without-yara --without-seccomp \
    --without-deflate --without-vshadow --without-bde --without-esedb --without-evt --without-postgres CFLAGS=-O1'"
step tarball tarball_is_whole
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
