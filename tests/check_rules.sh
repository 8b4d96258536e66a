#!/bin/sh
# TAP: the shipped rules are all loaded, each of their own examples does what it says, and each rule has two of both kinds.
program=${EXTRIAGE:-./extriage}
rules=${EXTRIAGE_RULES:-${srcdir:-.}/rules}
if [ ! -x "$program" ]; then
    echo "1..0 # SKIP $program is not built"
    exit 0
fi
output=$(mktemp) || exit 99
trap 'rm -f "$output"' EXIT

"$program" rules test --no-default-rules --rules "$rules" >"$output"
code=$?
grep -v '^1\.\.' "$output"
count=$(grep -c -e '^ok' -e '^not ok' "$output")
if [ "$count" -eq 0 ] || grep -q 'fewer than two examples$' "$output"; then
    echo "not ok $((count + 1)) - each rule has two examples of both kinds"
    code=1
else
    echo "ok $((count + 1)) - each rule has two examples of both kinds"
fi
echo "1..$((count + 1))"
exit "$code"
