#!/bin/sh
# TAP: every fuzz target over its seeds and some thousand inputs made of them; see replay.c. REPLAY_INPUTS, REPLAY_SECONDS (and REPLAY_IMAGES)
# say how many and how long for each target. A target without seeds of its own gets those of all others.
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${top_builddir:-.}" && pwd)
work=$build/tests/fuzz-work
replay=$build/tests/fuzz/replay
inputs=${REPLAY_INPUTS:-3000}
seconds=${REPLAY_SECONDS:-4}

rm -rf "$work"
mkdir -p "$work" || exit 99
if ! python3 -B "$here/make_seeds.py" "$work/seeds" >"$work/make_seeds.log" 2>&1; then
    sed 's/^/# /' "$work/make_seeds.log"
    echo "Bail out! seeds cannot be made"
    exit 99
fi
"$replay" --seeds "$work/seeds" || exit 99

# The folders that hold seeds of a target.
folders_of() {
    for folder in "$here/seeds/$1" "$work/seeds/$1" "$work/seeds/golden/$1" "$work/seeds/golden/$1"_*; do
        [ -d "$folder" ] && printf '%s\n' "$folder"
    done
}

targets=$("$replay" --list) || exit 99
echo "1..$(printf '%s\n' "$targets" | wc -l)"
number=0 fails=0
cd "$work" || exit 99
for target in $targets; do
    number=$((number + 1))
    folders=$(folders_of "$target")
    [ -n "$folders" ] || folders="$here/seeds $work/seeds/golden"
    count=$inputs
    # Half of these bytes are libtsk's to read: as many as were tried, so that no machine gets further than another.
    [ "$target" = image ] && count=${REPLAY_IMAGES:-300} && seconds=60
    [ "$target" = image ] && [ ! -d "$work/seeds/image" ] && { echo "ok $number - $target # SKIP no mkntfs" && continue; }
    # shellcheck disable=SC2086
    if "$replay" -n "$count" -s "$seconds" "$target" $folders >"$target.log" 2>&1; then
        echo "ok $number - $(tail -n 1 "$target.log")"
    else
        echo "not ok $number - $target"
        tail -n 60 "$target.log" | sed 's/^/# /'
        fails=$((fails + 1))
    fi
done
[ "$fails" -eq 0 ] && rm -rf "$work"
[ "$fails" -eq 0 ]
