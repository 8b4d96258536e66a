#!/bin/sh
# TAP: make install puts everything in its place, the installed program finds its rules, make uninstall leaves nothing.
build=$(cd "${top_builddir:-.}" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
target=$build/tests/install-work
number=0 failed=0

result() { # text; 0 or not by the command before
    code=$?
    number=$((number + 1))
    if [ "$code" -eq 0 ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        tail -n 20 "$target.log" | sed 's/^/# /'
        failed=1
    fi
}

run() { "$@" >"$target.log" 2>&1; }
make_it() { (cd "$build" && run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL "${MAKE:-make}" -s "$@" DESTDIR="$target"); }

rm -rf "$target"
make_it install
result "make install"
program=$(find "$target" -type f -name extriage -perm -u+x | head -n 1)
[ -n "$program" ]
result "the program is installed"
root=${program%/bin/extriage}
(cd "$source/rules" && find . -type f ! -name '*.md' | sort) >"$target.wanted"
(cd "$root/share/extriage/rules" && find . -type f | sort) >"$target.found" 2>"$target.log"
run diff "$target.wanted" "$target.found"
result "all rules and tables are installed, and nothing else"
run env -u EXTRIAGE_RULES "$program" rules check && grep -q '^[1-9][0-9]* active' "$target.log"
result "the installed program finds its rules"
page=$(find "$root/share/man" -name 'extriage.1*' | head -n 1)
if command -v man >/dev/null; then
    # shellcheck disable=SC2015
    [ -n "$page" ] && LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=100 man --warnings -E UTF-8 -l -Tutf8 "$page" 2>"$target.log" >/dev/null &&
        [ ! -s "$target.log" ]
    result "the manual page is installed and has no mistakes"
else
    number=$((number + 1))
    echo "ok $number - the manual page # SKIP there is no man"
fi
run bash -n "$root/share/bash-completion/completions/extriage"
result "bash completion is installed"
make_it uninstall && [ -z "$(find "$target" -type f)" ]
result "make uninstall leaves no file"
echo "1..$number"
rm -rf "$target" "$target".log "$target".wanted "$target".found
exit $failed
