#!/bin/sh
# TAP: every header can be included alone.
cd "${srcdir:-.}" || exit 99
number=0 fails=0
headers=$(find triage artifacts -name '*.h' | LC_ALL=C sort)
echo "1..$(printf '%s\n' "$headers" | wc -l)"
for header in $headers; do
    number=$((number + 1))
    if printf '#include "%s"\n' "$header" |
        ${CC:-cc} -std=c11 -D_GNU_SOURCE -fsyntax-only -I. ${TEST_CPPFLAGS:-} -x c - 2>/dev/null; then
        echo "ok $number - $header stands alone"
    else
        echo "not ok $number - $header stands alone"
        fails=$((fails + 1))
    fi
done
[ "$fails" -eq 0 ]
