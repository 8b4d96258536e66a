#!/bin/bash
# parallel.sh LIST CASES FLEET [OPTIONS for extriage run ...]: the same for a handful of machines, by GNU parallel. MACHINES names a file
# with a machine a line, as parallel's --sshloginfile takes it ("4/examiner2", ":" for this one; default: this one alone); LIST and
# CASES must be seen alike from all of them, extriage be installed there. What fails is tried three times, each time going on; called
# again, it goes on with what is not finished. JOBS: how many at a time on each machine (default 1: extriage uses all processors).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
list=$(realpath "$1") cases=$2 fleet=$3
shift 3
mkdir -p "$cases/log"
cases=$(realpath "$cases")

twice=$(sed 's|.*/||; s|\.[^.]*$||' "$list" | sort | uniq -d | head -n 1)
[ -z "$twice" ] || { echo "parallel: two images of the list would become the case '$twice'" >&2; exit 1; }
machines=(--sshlogin :)
[ -z "${MACHINES:-}" ] || machines=(--sshloginfile "$(realpath "$MACHINES")")
failed=0
grep . "$list" | parallel "${machines[@]}" --jobs "${JOBS:-1}" --retries 3 --joblog "$cases/log/jobs.txt" --env EXTRIAGE \
    "$here/one_image.sh" {} "$cases" "$@" || failed=$?
[ "$failed" -eq 0 ] || echo "parallel: $failed images are not finished: see $cases/log/jobs.txt, and call this again" >&2
"$here/merge_all.sh" "$cases" "$fleet"
