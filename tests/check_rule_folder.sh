#!/bin/sh
# TAP: rules can be newer than the program: where it looks for them, in which order; which version it says they have; what it refuses.
: "${EXTRIAGE:?names the program}"
source=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
said=$work/said
. "$source/tests/tap.sh"
unset EXTRIAGE_RULES

make_rules() { # folder, version, program that it needs, level of its one rule
    mkdir -p "$1/sigma"
    printf '%s\nneeds extriage %s\n' "$2" "$3" >"$1/VERSION"
    cp "$source/rules/judgement.tsv" "$source/rules/exchange_builds.tsv" "$source/rules/cve_fixes.tsv" "$source/rules/update_files.tsv" "$1"
    cat >"$1/sigma/one.yml" <<END
title: One of version $2
id: 2f8f7bb8-7d3f-4d38-9a6c-0c7ef0b0a002
name: PL-01
status: test
logsource:
    category: webserver
detection:
    page:
        cs-uri-stem|endswith: /example-$2.aspx
    condition: page
level: $4
END
}

# An installed program, and folders in all places but /etc, which belongs to the machine (the package's test has that one).
mkdir -p "$work/bin" "$work/beside" "$work/home" "$work/logs"
cp "$EXTRIAGE" "$work/bin/extriage"
cp "$EXTRIAGE" "$work/beside/extriage"
make_rules "$work/share/extriage/rules" 2030.1.1 0.1.0 low
make_rules "$work/beside/rules" 2030.1.2 0.1.0 low
make_rules "$work/xdg/extriage/rules" 2030.2.10 0.1.0 high
make_rules "$work/home/.local/share/extriage/rules" 2030.1.4 0.1.0 low
make_rules "$work/named" 2030.1.5 0.1.0 low
make_rules "$work/option" 2030.1.6 0.1.0 low
HOME=$work/home XDG_DATA_HOME=$work/xdg
export HOME XDG_DATA_HOME

uses() { # version, then the command
    wanted=$1
    shift
    "$@" >"$work/said" 2>&1
    grep -q "^rules $wanted: " "$work/said"
}
uses 2030.2.10 "$work/bin/extriage" rules check
result "the user's folder is used before the installed one"
! grep -q warning: "$work/said"
result "and not a word about that"
uses 2030.1.2 "$work/beside/extriage" rules check
result "the folder beside the program is used before the user's"
uses 2030.1.5 env EXTRIAGE_RULES="$work/named" "$work/beside/extriage" rules check
result "the folder of the environment is used before that"
uses 2030.1.6 env EXTRIAGE_RULES="$work/named" "$work/beside/extriage" rules check --default-rules "$work/option"
result "the folder of the option is used before all"
uses 2030.1.4 env XDG_DATA_HOME= "$work/bin/extriage" rules check
result "without XDG_DATA_HOME it is ~/.local/share"
uses 2030.1.1 env XDG_DATA_HOME= HOME=/nonexistent "$work/bin/extriage" rules check
result "without any it is the installed one"
rm "$work/xdg/extriage/rules/VERSION"
uses 2030.1.1 "$work/bin/extriage" rules check
result "a folder that does not say its version is not taken for rules"

make_rules "$work/xdg/extriage/rules" 2029.12.31 0.1.0 high
uses 2029.12.31 "$work/bin/extriage" rules check && grep -q "warning: the rules in '.*' (2029.12.31) are older than those that are installed (2030.1.1)" "$work/said"
result "rules older than the installed ones: a warning"
make_rules "$work/xdg/extriage/rules" 2031.1.1 99.0.0 high
"$work/bin/extriage" rules check >"$work/said" 2>&1
[ $? -eq 1 ] && grep -q 'need extriage 99.0.0 or newer' "$work/said"
result "rules for a newer program are refused"

# An update: a rule that the program has never seen, in a folder of the user's.
make_rules "$work/xdg/extriage/rules" 2030.2.10 0.1.0 high
printf '%s\r\n' '#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status' \
    '2021-03-03 04:37:12 GET /example-2030.2.10.aspx - 203.0.113.77 Example 200' >"$work/logs/u_ex210303.log"
"$work/bin/extriage" run -q "$work/logs/u_ex210303.log" -o "$work/case" --fail-level high >"$work/said" 2>&1
[ $? -eq 2 ] && grep -q 'One of version 2030.2.10' "$work/case/timeline.jsonl"
result "a rule that came with an update finds what it looks for"
grep -q '"version": "2030.2.10"' "$work/case/run.json" && grep -q "\"folder\": \"$work/xdg/extriage/rules\"" "$work/case/run.json"
result "run.json says version and folder of the rules"
digest=$(cd "$work/xdg/extriage/rules" && find . -type f ! -name '*.md' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)
grep -q "\"sha256\": \"$digest\"" "$work/case/run.json"
result "run.json has the digest that sha256sum gives"
[ "$(head -n 1 "$source/rules/VERSION" | tr -d 0-9.)" = "" ] && grep -qE '^needs extriage [0-9.]+$' "$source/rules/VERSION"
result "the shipped rules say their version"
echo "1..$number"
exit $failed
