#!/bin/bash
# slurm.sh LIST CASES FLEET [OPTIONS for extriage run ...]: a Slurm job array with one task for each image of LIST (a path a line,
# seen alike from all nodes), then one job that merges what is finished into FLEET. Prints the numbers of both jobs. Called again, it
# goes on with what is not finished. TASKS (default 20) run at a time; SBATCH_OPTIONS go to sbatch (partition, memory, time).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
list=$(realpath "$1") cases=$2 fleet=$3
shift 3
mkdir -p "$cases/log"
cases=$(realpath "$cases")

# The names that the cases will have (one_image.sh): two images of one name would write into one case.
twice=$(awk -F '\t' '{ name = $2; if (name == "") { name = $1; sub(/.*\//, "", name); sub(/\.[^.]*$/, "", name) } if ($0 != "" && seen[name]++ == 1) print name }' \
    "$list" | head -n 1)
[ -z "$twice" ] || { echo "slurm: two images of the list would become the case '$twice': name them apart, behind a tab" >&2; exit 1; }
count=$(grep -c . "$list")
read -ra more <<<"${SBATCH_OPTIONS:-}"
array=$(sbatch --parsable --array="1-$count%${TASKS:-20}" --requeue --signal=B:TERM@120 --open-mode=append --job-name=extriage \
    --output="$cases/log/%a.txt" "${more[@]}" "$here/slurm_task.sh" "$here/one_image.sh" "$list" "$cases" "$@")
merge=$(sbatch --parsable --dependency="afterany:$array" --job-name=extriage-merge --output="$cases/log/merge.txt" "${more[@]}" \
    "$here/merge_all.sh" "$cases" "$fleet")
echo "array $array merge $merge"
