#!/bin/sh
# make usb: usb.sh VERSION SOURCE OUT: a tarball for work without network and without libraries, such as from a stick: programs that are linked
# with all they need, C library and all, with rules, manual pages, licences and SBOM.
set -eu
version=$1
source=$(cd "$2" && pwd)
mkdir -p "$3"
out=$(cd "$3" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
SOURCE_DATE_EPOCH=$("$here/epoch.sh")
export SOURCE_DATE_EPOCH LC_ALL=C
umask 022
unset MAKEFLAGS MFLAGS MAKELEVEL EXTRIAGE_RULES EXTRIAGE_HELPERS
name=extriage-$version-linux-$(uname -m)
libraries=$(dirname "$(${CC:-gcc} -print-file-name=libewf.a)")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/lib" "$work/build" "$work/$name"

# Libraries whose inner names clash with each other's or ours become one object each, of which only the interface can be seen. Those of
# libyal would otherwise take parts of each other, and lose data without an error.
seal() { # name, what stays to be seen, then the archives
    object=$work/lib/$1.o keep=$2
    first=$libraries/$3.a
    shift 3
    # shellcheck disable=SC2046
    ld -r --whole-archive "$first" --no-whole-archive $(for more in "$@"; do echo "$libraries/$more.a"; done) -o "$object"
    objcopy -w --keep-global-symbol="$keep" "$object"
}
for library in libewf libbde libvshadow libesedb libevt libbfio; do
    seal $library "${library}_*" $library
done
seal libyara 'yr_*' libyara libjansson libmagic

# libtsk without its own readers of containers (containers.c).
cp "$libraries/libtsk.a" "$work/lib/libtsk.a"
ar dD "$work/lib/libtsk.a" aff.o ewf.o vhd.o vmdk.o
objcopy -D --redefine-sym aff_open=no_aff_open --redefine-sym ewf_open=no_ewf_open --redefine-sym vhdi_open=no_vhdi_open \
    --redefine-sym vmdk_open=no_vmdk_open "$work/lib/libtsk.a"
flags="-O2 -g0 -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$source=. -ffile-prefix-map=$work=."
# shellcheck disable=SC2086
${CC:-gcc} $flags -c "$here/containers.c" -o "$work/lib/containers.o"

cd "$work/build"
lib=$work/lib
"$source/configure" -q --prefix=/usr --without-postgres CFLAGS="$flags" LDFLAGS='-static-pie -Wl,-z,relro,-z,now' \
    TSK_CFLAGS=' ' TSK_LIBS="$lib/containers.o $lib/libtsk.a" \
    EWF_CFLAGS=' ' EWF_LIBS="$lib/libewf.o" YARA_CFLAGS=' ' YARA_LIBS="$lib/libyara.o" \
    BDE_CFLAGS=' ' BDE_LIBS="$lib/libbde.o $lib/libbfio.o" VSHADOW_CFLAGS=' ' VSHADOW_LIBS="$lib/libvshadow.o $lib/libbfio.o" \
    ESEDB_CFLAGS=' ' ESEDB_LIBS="$lib/libesedb.o $lib/libbfio.o" EVT_CFLAGS=' ' EVT_LIBS="$lib/libevt.o $lib/libbfio.o" \
    ZLIB_CFLAGS=' ' ZLIB_LIBS='-Wl,--start-group -lsqlite3 -lxml2 -licuuc -licudata -lcrypto -llzma -lbz2 -lz -lstdc++ -Wl,--end-group' \
    >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
make -s -j"$(nproc)" programs >>"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }

folder=$work/$name
mkdir "$folder/helpers" "$folder/man" "$folder/licences"
cp extriage "$folder/extriage"
for helper in bitlocker shadow_copy ese evt; do
    cp "helpers/$helper" "$folder/helpers/$helper"
done
strip "$folder/extriage" "$folder"/helpers/*
cp triage/manual/*.1 "$folder/man"
(cd "$source" && find rules -type f ! -name '*.md' -print) | while read -r file; do
    mkdir -p "$folder/${file%/*}" && cp "$source/$file" "$folder/$file"
done
cp "$source/LICENSE" "$folder/licences/extriage"
grep -v -e '^#' -e '	shared	' "$here/libraries.tsv" | while IFS='	' read -r library package _; do
    cp "/usr/share/doc/$package/copyright" "$folder/licences/$library"
done
sed "s/@VERSION@/$version/g" "$here/usb-README.txt" >"$folder/README.txt"
python3 -B "$here/sbom.py" --version "$version" --epoch "$SOURCE_DATE_EPOCH" --linkage static --rules "$folder/rules" \
    --program "$folder/extriage" --program "$folder/helpers/bitlocker" --program "$folder/helpers/shadow_copy" \
    --program "$folder/helpers/ese" --program "$folder/helpers/evt" -o "$folder/extriage.spdx.json"
(cd "$folder" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >"$work/sums" && mv "$work/sums" SHA256SUMS)
find "$folder" -type d -exec chmod 755 {} + -o -type f -perm -u+x -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
tar -C "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar -cf - "$name" |
    xz -T1 -6 >"$out/$name.tar.xz.tmp"
mv "$out/$name.tar.xz.tmp" "$out/$name.tar.xz"
ls -l "$out/$name.tar.xz"
