#!/bin/sh
# TAP, by hand, some minutes: the Debian package, the tarball for the stick (each with its SBOM), the source tarball and the rules are made twice: in other
# folders, at other times, with another time zone, locale, umask, home and number of jobs. All bytes must be the same.
source=$(cd "$(dirname "$0")/.." && pwd)
work=${1:-${TMPDIR:-/tmp}/extriage-reproducible}
number=0 failed=0
SOURCE_DATE_EPOCH=$("$source/triage/package/epoch.sh")
CCACHE_DISABLE=1
export SOURCE_DATE_EPOCH CCACHE_DISABLE
rm -rf "$work"
mkdir -p "$work/one" || exit 99

copy() { # what git knows, as it lies here
    (cd "$source" && git ls-files -z | tar --null -T - --no-recursion -cf - 2>/dev/null) | tar -xf - -C "$1"
}
make_all() { # folder of the sources, folder of the results
    (cd "$1" && ./autogen.sh && mkdir -p build && cd build && ../configure -q && make -s deb usb rules-dist "PACKAGES_DIR=$2") >"$2/log" 2>&1 ||
        { tail -n 20 "$2/log" | sed 's/^/# /'; echo "Bail out! it cannot be made in $1"; exit 99; }
}
mkdir -p "$work/first" "$work/second" "$work/deeper/and-deeper"
copy "$work/one"
copy "$work/deeper/and-deeper"
(umask 022 && TZ=UTC LC_ALL=C HOME=/nonexistent make_all "$work/one" "$work/first") || exit 99
sleep 2
(umask 077 && TZ=Pacific/Auckland LC_ALL=C.UTF-8 HOME=/tmp MAKEFLAGS=-j3 make_all "$work/deeper/and-deeper" "$work/second") || exit 99

# .changes and .buildinfo are about the build itself: they tell its time and folder.
for file in $(cd "$work/first" && find . -type f ! -name '*log' ! -name '*.changes' ! -name '*.buildinfo' | LC_ALL=C sort); do
    number=$((number + 1))
    if cmp -s "$work/first/$file" "$work/second/$file"; then
        echo "ok $number - ${file#./} is the same, $(stat -c %s "$work/first/$file") bytes, SHA-256 $(sha256sum <"$work/first/$file" | cut -c1-16)..."
    else
        echo "not ok $number - ${file#./} is the same"
        failed=1
    fi
done
number=$((number + 1))
if [ "$number" -ge 6 ] && [ "$(cd "$work/first" && ls)" = "$(cd "$work/second" && ls)" ]; then
    echo "ok $number - the same files were made"
else
    echo "not ok $number - the same files were made"
    failed=1
fi
echo "1..$number"
[ "$failed" -ne 0 ] || rm -rf "$work"
exit $failed
