#!/bin/sh
# libFuzzer over each target: fuzz.sh FUZZER REPLAY SECONDS [TARGET...] in a folder of its own; see `make fuzz`. What it finds
# lies in found/; put it into tests/fuzz/seeds/TARGET (as text) before the fix.
set -u
here=$(cd "$(dirname "$0")" && pwd)
fuzzer=$1 replay=$2 seconds=$3
shift 3
mkdir -p found corpus
[ -d seeds ] || python3 -B "$here/make_seeds.py" seeds || exit 1
"$replay" --seeds seeds || exit 1
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $("$replay" --list)
failed=0
for target in "$@"; do
    mkdir -p "corpus/$target"
    size=20000
    case $target in image) size=4000000 ;; mft | hive | hive_log) size=100000 ;; esac
    folders=
    for folder in "$here/seeds/$target" "seeds/$target" $(find "seeds/golden/$target" "seeds/golden/$target"_* -type d 2>/dev/null); do
        [ -d "$folder" ] && folders="$folders $folder"
    done
    # shellcheck disable=SC2086
    if TRIAGE_FUZZ=$target "$fuzzer" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=3000 -max_len=$size \
        -artifact_prefix="found/$target-" -print_final_stats=1 "corpus/$target" $folders >"$target.log" 2>&1; then
        echo "ok - $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$target.log") inputs"
    else
        echo "not ok - $target: $(grep -m 1 -e 'SUMMARY' -e 'broken promise' "$target.log"); see $target.log"
        failed=1
    fi
done
exit $failed
