#!/bin/bash
# one_image.sh IMAGE CASES [OPTIONS for extriage run ...]: analyses one image into CASES/NAME. NAME is that of the file without its ending,
# or what stands behind a tab in IMAGE, as in a line of the lists of slurm.sh and parallel.sh. What was interrupted is gone on with,
# what is finished is left as it is: it may be called as often as it takes. Ends with 0 when the case is finished, whatever was found
# in it (also when parts of the evidence could not be read: the merged report names those), else with the code of extriage.
set -eu
image=${1%%$'\t'*} cases=$2
name=$(basename "$image")
name=${name%.*}
[ "$image" = "$1" ] || name=${1#*$'\t'}
shift 2
case $name in
'' | .* | */*) echo "one_image: '$name' cannot be the name of a case" >&2; exit 1 ;;
esac
[ -e "$image" ] || { echo "one_image: there is no $image" >&2; exit 1; }
case=$cases/$name
mkdir -p "$cases"

# Two tasks for one image would write into each other's case.
exec 9>"$case.lock"
flock -w 60 9 || { echo "one_image: another task works on $case" >&2; exit 75; }

arguments=(--quiet "$@" "$image" --output "$case")
if [ -e "$case/case.db.partial" ]; then # an interrupted case has its outputs, too
    echo "one_image: going on with $case"
    arguments=(--resume "${arguments[@]}")
elif [ -e "$case/case.db" ] && [ -e "$case/SHA256SUMS" ]; then
    echo "one_image: $case is finished"
    exit 0
elif [ -e "$case/case.db" ]; then
    echo "one_image: $case lacks its outputs: once more"
    arguments=(--clobber "${arguments[@]}")
else
    echo "one_image: beginning $case"
fi
code=0
"${EXTRIAGE:-extriage}" run "${arguments[@]}" || code=$?
echo "one_image: $case: exit code $code"
case $code in
0 | 2 | 3) exit 0 ;;
*) exit "$code" ;;
esac
