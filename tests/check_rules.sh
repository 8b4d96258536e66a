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
# What a list names needs none.
listed=$("$EXTRIAGE" rules list 2>&1 | grep -c '^active .* Indicator of ')
result "$([ "$((tested + listed))" -eq "${active:-0}" ] && echo 0 || echo 1)" "every rule has two examples of each kind" \
    "$tested of ${active:-?} rules have, $listed are of lists"
# The table of ids: what each stands for in the verdict (judgement.tsv), and how it is seen or why not (README.md).
here=$(dirname "$0")
rules=$here/../rules
known=$(mktemp) && told=$(mktemp) || exit 99
sed -n 's/^\([A-Z][A-Z]-[0-9][0-9]\)\t.*/\1/p' "$rules/judgement.tsv" | sort -u >"$known"
sed -n 's/^| \([A-Z][A-Z]-[0-9][0-9]\) |.*/\1/p' "$rules/README.md" | sort >"$told"
missing=$(comm -23 "$known" "$told")
result "$([ -s "$known" ] && [ -z "$missing" ] && echo 0 || echo 1)" "rules/README.md says of every id how it is seen or why not" "$missing"
# Rules that only correlations rest on have names of their own, in lower case.
missing=$("$EXTRIAGE" rules list 2>/dev/null | grep -v ' Indicator of ' | awk '$1 == "active" && $3 !~ /^[a-z-]+$/ { print $3 }' | sort -u | comm -23 - "$known")
result "$([ -z "$missing" ] && echo 0 || echo 1)" "every rule's name is in judgement.tsv" "$missing"
missing=$(grep -oE '\{"[A-Z]{2}-[0-9]{2}", [a-z_]+\}' "$here/../triage/findings/checks.c" | grep -oE '[A-Z]{2}-[0-9]{2}' | sort -u)
missing=$([ -n "$missing" ] || echo "no check was found"; printf '%s\n' "$missing" | comm -23 - "$known")
result "$([ -z "$missing" ] && echo 0 || echo 1)" "every check's id is in judgement.tsv" "$missing"
rm -f "$known" "$told"
echo "1..$number"
exit $failed
