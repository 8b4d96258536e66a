#!/bin/sh
# The time that everything packaged bears, in seconds: SOURCE_DATE_EPOCH, or that of the last commit, or (in a source tarball, where all
# files have one time) that of configure.ac. Same sources, same time.
cd "$(dirname "$0")/../.." || exit 1
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
    echo "$SOURCE_DATE_EPOCH"
elif [ -e .git ] && git log -1 --format=%ct 2>/dev/null; then
    :
else
    stat -c %Y configure.ac
fi
