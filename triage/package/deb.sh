#!/bin/sh
# make deb: deb.sh VERSION SOURCE_TARBALL OUT: a Debian source package and binary package of the tarball of `make dist`.
set -eu
umask 022
version=$1 tarball=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$3"
out=$(cd "$3" && pwd)
SOURCE_DATE_EPOCH=$("$here/epoch.sh")
export SOURCE_DATE_EPOCH
for tool in dpkg-buildpackage dh; do
    command -v "$tool" >/dev/null || { echo "make deb needs $tool: apt-get install dpkg-dev debhelper" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xJf "$tarball" -C "$work"
cd "$work/extriage-$version"
cp -R triage/package/debian debian
date=$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$date/" debian/changelog.in >debian/changelog
rm debian/changelog.in
# The caller's make and compiler are none of the package's business.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CFLAGS -u LDFLAGS -u CC dpkg-buildpackage -us -uc -j"$(nproc)" >"$out/build.log" 2>&1 ||
    { tail -n 40 "$out/build.log" >&2; exit 1; }
mv "$work"/extriage*_"$version"* "$out"
ls "$out"
