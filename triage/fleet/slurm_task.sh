#!/bin/bash
# slurm_task.sh ONE_IMAGE LIST CASES [OPTIONS ...]: a task of the array that slurm.sh makes. Where the process was killed (memory ran
# out, somebody ended it) it goes on at once, at most three times. When Slurm is about to end the task (SIGTERM before the time limit)
# extriage keeps what it has, and the task goes back into the queue.
set -u
one_image=$1 list=$2 cases=$3
shift 3
image=$(grep . "$list" | sed -n "${SLURM_ARRAY_TASK_ID}p")
asked_to_end=

attempt() {
    "$one_image" "$image" "$cases" "$@" &
    child=$!
    trap 'asked_to_end=yes; pkill -TERM -P "$child"' TERM
    wait "$child"
    code=$?
    while kill -0 "$child" 2>/dev/null; do # the signal ended the waiting, not the child
        wait "$child"
        code=$?
    done
}

attempt "$@"
for ((again = 1; again <= 3 && code > 128; again++)); do
    [ -z "$asked_to_end" ] || break
    echo "slurm_task: the process ended with $code: once more ($again of 3)"
    attempt "$@"
done
if [ "$code" -eq 4 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
    echo "slurm_task: interrupted, back into the queue"
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60 # Slurm ends the script
fi
exit "$code"
