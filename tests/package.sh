#!/bin/sh
# TAP, by hand and as root, some minutes: package.sh [BUILD [MIRROR]]. The Debian package passes lintian, installs into a fresh Debian
# (debootstrap), works there and leaves nothing behind; the tarball works in a folder with nothing else in it, from a read-only mount, for
# a user without rights, and gives the same bytes. PACKAGES names a folder with packages that are made already.
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:-$source/build}" && pwd) || exit 99
mirror=${2:-http://deb.debian.org/debian}
packages=${PACKAGES:-$build/packages}
work=$build/tests/package-work
evidence=$build/tests/package-evidence
said=$work/log
. "$source/tests/tap.sh"

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
[ "$(id -u)" -eq 0 ] || skip "not root"
command -v debootstrap >/dev/null || skip "there is no debootstrap"
command -v lintian >/dev/null || skip "there is no lintian"

release() { # all mounts below, last one first
    sed -n "s|^[^ ]* \($work/[^ ]*\) .*|\1|p" /proc/mounts | sort -r | while read -r place; do umount -l "$place"; done
}
release
rm -rf "$work"
mkdir -p "$work"
trap release EXIT

if [ -z "${PACKAGES:-}" ]; then
    run make -s -C "$build" deb
    result "make deb"
    run make -s -C "$build" usb
    result "make usb"
fi
deb=$(ls "$packages"/extriage_*.deb) && changes=$(ls "$packages"/extriage_*.changes) && usb=$(ls "$packages"/extriage-*-linux-*.tar.xz) || exit 99

# ---- the Debian package ----
run lintian --fail-on error,warning --profile debian --allow-root --info "$changes"
result "lintian has neither errors nor warnings"
dpkg-deb -c "$deb" | awk '$6 !~ /\/$/ {print $6}' >"$work/files"
grep -v -E '^\./usr/(bin/extriage$|libexec/extriage/|share/(extriage/|man/man1/extriage|doc/extriage/|bash-completion/|zsh/|fish/))' "$work/files" >"$work/log"
[ -s "$work/files" ] && [ ! -s "$work/log" ]
result "everything is where Debian wants it"

fresh=$work/fresh
if ! run debootstrap --variant=minbase bookworm "$fresh" "$mirror"; then
    tail -n 5 "$work/log" | sed 's/^/# /'
    echo "ok $((number + 1)) - a fresh Debian # SKIP no mirror"
    echo "1..$((number + 1))"
    exit $failed
fi
inside() { run env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$fresh" "$@"; }
mount -t proc proc "$fresh/proc"
cp "$deb" "$fresh/tmp/extriage.deb"
cp "$source/triage/package/debian/tests/smoke" "$fresh/tmp/smoke"
(cd "$fresh" && find . -xdev -type f | grep -v -e '^./var/' -e '^./etc/ld.so.cache' | sort) >"$work/before"
# Before anything is installed: the tarball on a machine that has none of the libraries.
[ -z "$(find "$fresh" -xdev -name 'libtsk*' -o -xdev -name 'libewf*' -o -xdev -name 'libyara*')" ]
result "the fresh Debian has none of the libraries"
inside apt-get install -y -q --no-install-recommends /tmp/extriage.deb
result "the package installs"
inside /tmp/smoke
result "the installed program works (debian/tests/smoke)"
[ -s "$evidence/EXCH01.E01" ] || run env BUILD_DIR="$build" "$source/fixtures/make_demo.sh" "$evidence" --formats e01
result "the demonstration evidence"
mkdir "$fresh/evidence"
mount --bind "$evidence" "$fresh/evidence" && mount -o remount,ro,bind "$fresh/evidence"
inside extriage run -q /evidence/EXCH01.E01 -o /tmp/case
[ $? -eq 2 ]
result "run: findings in the demonstration"
grep -v -e ' run.json' -e ' log.txt' "$fresh/tmp/case/SHA256SUMS" >"$work/linked"
umount "$fresh/evidence"
rm -rf "$fresh/evidence" "$fresh/tmp/case"
mkdir -p "$fresh/etc/extriage"
cp -R "$source/rules" "$fresh/etc/extriage/rules"
printf '2999.1.1\nneeds extriage 0.1.0\n' >"$fresh/etc/extriage/rules/VERSION"
inside extriage rules check
grep -q '^rules 2999.1.1: .*/etc/extriage/rules$' "$work/log"
result "rules in /etc are used before the installed ones"
rm -rf "$fresh/etc/extriage"
inside sh -c 'apt-get purge -y -q extriage && apt-get autoremove --purge -y -q'
result "the package can be removed"
rm -f "$fresh/tmp/smoke"
(cd "$fresh" && find . -xdev -type f | grep -v -e '^./var/' -e '^./etc/ld.so.cache' | sort) >"$work/after"
left=$(comm -13 "$work/before" "$work/after" | grep -i extriage | grep -v '^./root/.cache/')
[ -z "$left" ]
result "nothing of it is left"

# ---- the tarball ----
bare=$work/bare
mkdir -p "$bare/stick" "$bare/proc" "$bare/evidence" "$bare/case" "$bare/tmp" "$work/unpacked"
tar -xJf "$usb" -C "$work/unpacked" --strip-components=1
(cd "$work/unpacked" && run sha256sum --quiet -c SHA256SUMS)
result "its sums hold"
chmod 777 "$bare/case" "$bare/tmp"
mount -t proc proc "$bare/proc"
mount --bind "$work/unpacked" "$bare/stick" && mount -o remount,ro,bind "$bare/stick"
mount --bind "$evidence" "$bare/evidence" && mount -o remount,ro,bind "$bare/evidence"
! touch "$bare/stick/x" 2>/dev/null
result "the stick is mounted read-only"
on_stick() { run env -i PATH="$PATH" chroot --userspec=65534:65534 "$bare" /stick/extriage "$@"; }
on_stick rules check
grep -q '^rules .* in /stick/rules$' "$work/log" && grep -q ' 0 not loaded' "$work/log"
result "alone in a folder, as nobody, it finds its rules"
on_stick info /evidence/EXCH01.E01
result "info"
on_stick verify /evidence/EXCH01.E01
result "verify"
on_stick run -q /evidence/EXCH01.E01 -o /case/demo
[ $? -eq 2 ]
result "run: findings in the demonstration"
grep -v -e ' run.json' -e ' log.txt' "$bare/case/demo/SHA256SUMS" >"$work/static"
[ -s "$work/linked" ] && run diff "$work/linked" "$work/static"
result "the same bytes as from the installed package, which is linked with Debian's libraries ($(wc -l <"$work/linked") files)"
# Helpers hold libraries of their own: the tests that are about them, with the stick's programs.
for test in check_bitlocker check_shadow run_golden; do
    run env EXTRIAGE="$work/unpacked/extriage" EXTRIAGE_HELPERS="$work/unpacked/helpers" EXTRIAGE_RULES="$source/rules" top_builddir="$build" \
        EXTRIAGE_DATA="${EXTRIAGE_DATA:-$source/../shared/data}" python3 -B "$source/tests/$test.py"
    code=$?
    [ $code -eq 0 ] && grep -q '^ok ' "$work/log"
    result "$test.py with the programs of the stick ($(grep -c '^ok ' "$work/log") checks)"
done
echo "1..$number"
release
[ "$failed" -ne 0 ] || rm -rf "$work"
exit $failed
