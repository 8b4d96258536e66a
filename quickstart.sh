#!/bin/sh
# One command on a fresh machine: installs what is missing, builds, and triages.
#   ./quickstart.sh                     a demonstration: an E01 of a compromised Exchange server, made here
#   ./quickstart.sh IMAGE [OPTIONS...]  your evidence; the case goes to ./case unless -o says otherwise
#   ./quickstart.sh --test              all tests
set -eu
start=$(pwd)
cd "$(dirname "$0")"
here=$(pwd)
build=${EXTRIAGE_BUILD:-$here/build}

say() { printf '%s\n' "$*" >&2; }

# The names in packages.txt: those to build and run, or (with "all") those of the tests too.
packages() {
    sed -e '/^#/d' -e '/^[[:space:]]*$/d' packages.txt |
        if [ "$1" = all ]; then sed 's/^test:[[:space:]]*//'; else sed '/^test:/d'; fi |
        awk '{print $1}'
}

missing() {
    for package in $(packages "$1"); do
        # Some builds of nodejs bring npm along and refuse Debian's package of that name.
        [ "$package" != npm ] || ! command -v npm >/dev/null || continue
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else
        say "These Debian packages are missing: $needed"
        say "Install them as root, or install sudo, and start again."
        exit 1
    fi
}

install_packages() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "This is not a Debian system. extriage needs what these Debian packages hold:"
        packages "$1" | sed 's/^/  /' >&2
        if [ -z "${EXTRIAGE_NO_INSTALL:-}" ]; then
            say "Install their counterparts and start again with EXTRIAGE_NO_INSTALL=1."
            exit 1
        fi
        return
    fi
    needed=$(missing "$1")
    [ -n "$needed" ] || return 0
    say "Installing: $needed"
    as_root apt-get update -q >&2
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $needed >&2
}

build_program() {
    [ -x configure ] && [ configure -nt configure.ac ] && [ configure -nt Makefile.am ] || ./autogen.sh >&2
    mkdir -p "$build"
    (cd "$build" && { [ -f Makefile ] || "$here/configure" -q; } && make -s -j"$(nproc 2>/dev/null || echo 2)") >&2
}

demonstration() {
    say "Making the demonstration evidence (a compromised Exchange server, 3 March 2021) ..."
    rm -rf "$build/demo"
    BUILD_DIR="$build" fixtures/make_demo.sh "$build/demo" --formats e01 >&2
    image=$(ls "$build"/demo/*.E01 | head -n 1)
    say "extriage run $image -o $here/demo-case"
    code=0
    "$build/extriage" run "$image" -o "$here/demo-case" --clobber || code=$?
    say "Exit code $code (2: complete, with findings). Open demo-case/report.html; timeline.jsonl and coverage.json lie beside it."
    [ "$code" -eq 2 ]
}

has_output() {
    for argument in "$@"; do
        case $argument in -o | -o* | --output | --output=*) return 0 ;; esac
    done
    return 1
}

case ${1:-} in
--test)
    install_packages all
    exec tests/all.sh
    ;;
-h | --help)
    sed -n '2,5s/^# \{0,1\}//p' quickstart.sh
    ;;
"")
    install_packages needed
    build_program
    demonstration
    ;;
*)
    install_packages needed
    build_program
    has_output "$@" || set -- "$@" -o case
    cd "$start"
    exec "$build/extriage" run "$@"
    ;;
esac
