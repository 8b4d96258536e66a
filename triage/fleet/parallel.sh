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

# The names that the cases will have (one_image.sh): two images of one name would write into one case.
twice=$(awk -F '\t' '{ name = $2; if (name == "") { name = $1; sub(/.*\//, "", name); sub(/\.[^.]*$/, "", name) } if ($0 != "" && seen[name]++ == 1) print name }' \
    "$list" | head -n 1)
[ -z "$twice" ] || { echo "parallel: two images of the list would become the case '$twice': name them apart, behind a tab" >&2; exit 1; }
machines=(--sshlogin :)
[ -z "${MACHINES:-}" ] || machines=(--sshloginfile "$(realpath "$MACHINES")")
failed=0
grep . "$list" | parallel "${machines[@]}" --jobs "${JOBS:-1}" --retries 3 --joblog "$cases/log/jobs.txt" --env EXTRIAGE \
    "$here/one_image.sh" {} "$cases" "$@" || failed=$?
[ "$failed" -eq 0 ] || echo "parallel: $failed images are not finished: see $cases/log/jobs.txt, and call this again" >&2
"$here/merge_all.sh" "$cases" "$fleet"
