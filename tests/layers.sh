#!/bin/sh
# TAP: every #include of our own points to the same layer or a lower one, names its folder, and each outside library is used in
# its one home only. The layers and homes are those of triage/README.md.
cd "${srcdir:-.}" || exit 99
layers="base record helpers evidence formats artifacts,match,case engine findings,report commands"
fails=0 number=0

rank() { # of a folder name; 99 for the top
    place=0
    for layer in $layers; do
        place=$((place + 1))
        case ",$layer," in *",$1,"*) echo $place && return ;; esac
    done
    echo 99
}

result() { # text, file with complaints
    number=$((number + 1))
    if [ -s "$2" ]; then
        echo "not ok $number - $1"
        sed 's/^/# /' "$2"
        fails=$((fails + 1))
    else
        echo "ok $number - $1"
    fi
}

complaints=$(mktemp) || exit 99
trap 'rm -f "$complaints"' EXIT

echo 1..3
for file in $(find triage artifacts -name '*.[ch]'); do
    case $file in
    artifacts/*) own=artifacts ;;
    triage/*/*) own=${file#triage/} own=${own%%/*} ;;
    *) own=top ;;
    esac
    own_rank=$(rank "$own")
    sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file" | while read -r included; do
        case $included in
        triage/*/*) other=${included#triage/} other=${other%%/*} ;;
        artifacts/*) other=artifacts ;;
        triage/options.h) other=base ;;
        *) echo "$file: \"$included\" does not name its folder" && continue ;;
        esac
        other_rank=$(rank "$other")
        if [ "$other_rank" -gt "$own_rank" ]; then
            echo "$file ($own) includes $included ($other), which is a higher layer"
        elif [ "$other_rank" -eq "$own_rank" ] && [ "$other" != "$own" ]; then
            echo "$file ($own) includes $included ($other), which it must not know"
        fi
    done
done >"$complaints"
result "includes point downwards" "$complaints"

# header pattern, homes
while read -r pattern homes; do
    grep -rlE "^#include <$pattern" triage artifacts 2>/dev/null | while read -r file; do
        case " $homes " in *" $file "*) ;; *) echo "$file includes <$pattern...>, whose home is $homes" ;; esac
    done
done >"$complaints" <<'HOMES'
tsk triage/evidence/sleuthkit_parts.h
libewf triage/evidence/ewf_libewf.c
libdeflate triage/evidence/inflate.c
zlib triage/evidence/inflate.c
libxml triage/formats/xml.c
pcre2 triage/match/regex.c
yara triage/match/content.c triage/match/content_compile.c
yaml triage/match/yaml.c
sqlite3 triage/case/database.h triage/case/fleet.c
libpq triage/case/postgres_copy.h
openssl triage/base/hash.c
libbfio triage/helpers/bfio.c
libvshadow triage/helpers/shadow_copy.c
libbde triage/helpers/bitlocker.c
libesedb triage/helpers/ese.c
libevt triage/helpers/evt.c
seccomp triage/base/sandbox.c
linux/landlock triage/base/sandbox.c
HOMES
result "each outside library is used in its one home" "$complaints"

grep -rnE '(^|[^_[:alnum:]])(strcpy|strcat|sprintf|gets|alloca|system|popen) *\(' triage artifacts --include='*.[ch]' >"$complaints"
result "no call that cannot be bounded" "$complaints"
[ "$fails" -eq 0 ]
