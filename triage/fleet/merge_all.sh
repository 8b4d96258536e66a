#!/bin/bash
# merge_all.sh CASES FLEET [OPTIONS for extriage merge ...]: joins all cases of a folder. Those that are not finished are named in the
# report. Ends with 3 when there are any.
set -eu
cases=$1 fleet=$2
shift 2
members=()
for folder in "$cases"/*/; do
    [ -e "$folder/case.db" ] || [ -e "$folder/case.db.partial" ] && members+=("${folder%/}")
done
"${EXTRIAGE:-extriage}" merge "${members[@]}" --output "$fleet" --skip-errors --clobber "$@"
