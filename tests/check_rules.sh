#!/bin/sh
# TAP: every shipped rule is understood, has at least two examples of each kind, and answers them as it says; see rules/README.md.
: "${EXTRIAGE:?names the program}"
lines=$(mktemp) || exit 99
trap 'rm -f "$lines"' EXIT
failed=0

result() { # 0 or not, text, explanation
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        printf '%s\n' "$3" | sed 's/^/# /'
        failed=1
    fi
}

"$EXTRIAGE" rules test >"$lines" 2>&1 || failed=1
grep -E '^(not )?ok ' "$lines"
number=$(grep -cE '^(not )?ok ' "$lines")

answer=$("$EXTRIAGE" rules check 2>&1)
result $? "every rule is understood" "$answer"
active=$(printf '%s\n' "$answer" | sed -n 's/^\([0-9]*\) active, 0 not applicable, .*/\1/p')
result "$([ -n "$active" ] && echo 0 || echo 1)" "every rule has a parser that makes events for it" "$answer"

# "ok 1 - NAME hit 1 (PATH:LINE)": a rule is its name, file and line.
tested=$(sed -nE 's/^(not )?ok [0-9]+ - (.*) (hit|miss) [0-9]+ \((.*)\)$/\2 \4\t\3/p' "$lines" | sort | uniq -c |
    awk '$1 >= 2 { sub(/^ *[0-9]+ /, ""); sub(/\t.*/, ""); print }' | sort | uniq -c | awk '$1 == 2' | wc -l)
result "$([ "$tested" -eq "${active:-0}" ] && echo 0 || echo 1)" "every rule has two examples of each kind" \
    "$tested of ${active:-?} rules have"
echo "1..$number"
exit $failed
