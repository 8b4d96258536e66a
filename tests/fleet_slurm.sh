#!/bin/bash
# TAP: triage/fleet/slurm.sh with a real Slurm on loopback (munged, slurmctld, slurmd), all of it in a folder of its own.
source=$(cd "${srcdir:-.}" && pwd)
. "$source/tests/fleet_common.sh"
need munged slurmctld slurmd sbatch squeue scancel jq mke2fs flock
[ "$(id -u)" -eq 0 ] || skip_all "Slurm's daemons want root"
program=$EXTRIAGE
folder=$(mktemp -d /tmp/extriage-slurm-XXXXXX) || exit 99
chmod 755 "$folder"
daemons=()

clean() {
    scancel --user=root --full >/dev/null 2>&1
    for file in "$folder"/held-*; do
        [ -e "$file" ] && kill -KILL "$(cat "$file")" 2>/dev/null
    done
    for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do
        kill "${daemons[i]}" 2>/dev/null && { wait_for 30 eval "! kill -0 ${daemons[i]}" || kill -KILL "${daemons[i]}"; }
    done
    wait 2>/dev/null
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 99' INT TERM HUP

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_slurm() {
    local host port=$((20000 + $$ % 20000))
    host=$(hostname -s)
    until is_free $port && is_free $((port + 1)); do port=$((port + 2)); done
    mkdir "$folder/munge" "$folder/state" "$folder/spool"
    head -c 128 /dev/urandom >"$folder/munge/key"
    chmod 600 "$folder/munge/key"
    cat >"$folder/slurm.conf" <<CONF
ClusterName=extriage
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
KillWait=5
MessageTimeout=60
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$folder/slurm.conf
    munged --foreground --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
        --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" >"$folder/munged.out" 2>&1 &
    daemons+=($!)
    wait_for 30 test -S "$folder/munge/socket" || return 1
    slurmctld -D -f "$SLURM_CONF" >"$folder/slurmctld.out" 2>&1 &
    daemons+=($!)
    wait_for 60 scontrol ping || return 1
    slurmd -D -f "$SLURM_CONF" >"$folder/slurmd.out" 2>&1 &
    daemons+=($!)
    wait_for 60 eval 'sinfo -h -o %T | grep -q idle'
}

submit() { # gives the numbers of the array and of the job that merges
    EXTRIAGE=$folder/holder TASKS=4 "$source/triage/fleet/slurm.sh" "$folder/list" "$folder/cases" "$folder/fleet" --jobs 1 2>"$folder/submit"
}

# A controller that is too busy to answer knows of no job either: only its list tells.
is_done() { [ -n "$1" ] && squeue -h -o %i >"$folder/queue" && ! grep -q -x "$1" "$folder/queue"; }

make_images "$folder" >"$folder/list" || skip_all "the images cannot be made"
make_holder "$folder" "$program" || skip_all "the program that holds runs cannot be built"
start_slurm || { cat "$folder"/*.out "$folder"/*.log >"$folder/said" 2>&1; result 1 "Slurm starts on loopback" "$folder/said"; plan; exit 1; }
result 0 "Slurm starts on loopback"

# One process is killed, one whole task is cancelled, one task is told that its time is up.
touch "$folder/hold-exch02" "$folder/hold-exch03" "$folder/hold-exch04"
read -r _ array _ merge < <(submit)
wait_for 120 test -e "$folder/held-exch02" -a -e "$folder/held-exch03" -a -e "$folder/held-exch04"
result $? "a job array is at work, three of its runs have begun" "$folder/submit"
kill -KILL "$(cat "$folder/held-exch02")"
scancel "${array}_3"
scancel --batch --signal=TERM "${array}_4"
wait_for 240 eval 'squeue -h -r -o "%t %i" -j "$array" | grep -q "^PD ${array}_4"'
result $? "a task whose time is up is put back into the queue" "$folder/cases/log/4.txt"
# Slurm waits two minutes before such a task runs again, so that the node has ended it: not so long, but not at once either.
sleep 5
scontrol update jobid="${array}_4" StartTime=now
wait_for 240 is_done "$merge"
result $? "the array ends, then the job that merges"
grep -q 'interrupted, back into the queue' "$folder/cases/log/4.txt" && grep -q 'going on with .*exch04' "$folder/cases/log/4.txt"
result $? "the task that was put back went on with its case" "$folder/cases/log/4.txt"
grep -q 'the process ended with 137: once more' "$folder/cases/log/2.txt" && grep -q 'going on with .*exch02' "$folder/cases/log/2.txt"
result $? "a task whose process was killed goes on with its case" "$folder/cases/log/2.txt"
same_as_undisturbed "$folder" exch02 >"$folder/said" 2>&1
result $? "what it found is what an undisturbed run finds" "$folder/said"
[ -e "$folder/cases/exch03/case.db.partial" ] && jq -e '.left_out | length == 1 and (.[0].folder | endswith("/exch03"))' "$folder/fleet/fleet.json" >/dev/null &&
    jq -e '.servers | length == 4' "$folder/fleet/fleet.json" >"$folder/said"
result $? "a task that was cancelled is named in the merged report" "$folder/cases/log/merge.txt"

read -r _ array _ merge < <(submit)
wait_for 240 is_done "$merge"
result $? "the same command again" "$folder/submit"
grep -q 'going on with .*exch03' "$folder/cases/log/3.txt"
result $? "goes on with what is not finished" "$folder/cases/log/3.txt"
[ "$(grep -c 'is finished' "$folder"/cases/log/[1245].txt | grep -c ':1$')" -eq 4 ]
result $? "and leaves alone what is" "$folder/cases/log/1.txt"
same_as_undisturbed "$folder" exch03 >"$folder/said" 2>&1
result $? "the case that was cancelled is what an undisturbed run makes" "$folder/said"
jq -e '(.servers | length == 5) and (.left_out | length == 0) and any(.addresses[]; .address == "203.0.113.77" and .servers == 4)' \
    "$folder/fleet/fleet.json" >/dev/null
result $? "all five are joined, the address that four share is found" "$folder/fleet/fleet.json"
plan
