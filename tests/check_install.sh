#!/bin/sh
# TAP: make install puts everything in its place, the installed program finds its rules, make uninstall leaves nothing.
build=$(cd "${top_builddir:-.}" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
target=$build/tests/install-work
said=$target.log
. "$source/tests/tap.sh"

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
run env -u EXTRIAGE_RULES "$program" rules check # whether all of them can be loaded: check_rules.sh
grep -q '^[1-9][0-9]* active' "$target.log"
result "the installed program finds its rules"
wanted=$("$program" --help | sed -n 's/^  \([a-z]*\) .*/extriage-\1.1/p'; echo extriage.1)
[ "$(cd "$root/share/man/man1" && LC_ALL=C ls)" = "$(printf '%s\n' "$wanted" | LC_ALL=C sort)" ]
result "a manual page for each command is installed"
[ -s "$root/share/bash-completion/completions/extriage" ] && [ -s "$root/share/zsh/site-functions/_extriage" ] &&
    [ -s "$root/share/fish/vendor_completions.d/extriage.fish" ]
result "completions are installed"
make_it uninstall && [ -z "$(find "$target" -type f)" ]
result "make uninstall leaves no file"
echo "1..$number"
rm -rf "$target" "$target".log "$target".wanted "$target".found
exit $failed
