#!/bin/bash
# TAP: triage/fleet/parallel.sh over ssh with an sshd of its own on loopback (without one on this machine alone), and the scripts themselves.
source=$(cd "${srcdir:-.}" && pwd)
. "$source/tests/fleet_common.sh"
need parallel jq mke2fs flock
program=$EXTRIAGE
folder=$(mktemp -d /tmp/extriage-parallel-XXXXXX) || exit 99
chmod 755 "$folder"
daemon='' made=''

clean() {
    for file in "$folder"/held-*; do
        [ -e "$file" ] && kill -KILL "$(cat "$file")" 2>/dev/null
    done
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null
    wait 2>/dev/null
    [ -z "$made" ] || rmdir /run/sshd
    rm -rf "$folder"
}
trap clean EXIT
trap 'exit 99' INT TERM HUP

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Two names for one machine.
start_sshd() {
    local port=$((20000 + $$ % 20000)) sshd
    sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || return 1
    until is_free $port; do port=$((port + 1)); done
    [ "$(id -u)" -ne 0 ] || [ -d /run/sshd ] || { mkdir /run/sshd && made=yes; }
    ssh-keygen -q -t ed25519 -N '' -f "$folder/host_key" && ssh-keygen -q -t ed25519 -N '' -f "$folder/user_key" || return 1
    cp "$folder/user_key.pub" "$folder/authorized"
    cat >"$folder/sshd_config" <<CONF
ListenAddress 127.0.0.1:$port
HostKey $folder/host_key
AuthorizedKeysFile $folder/authorized
PidFile $folder/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
MaxStartups 100
CONF
    cat >"$folder/ssh_config" <<CONF
Host machine*
    HostName 127.0.0.1
    Port $port
    User $(id -un)
    IdentityFile $folder/user_key
    IdentitiesOnly yes
    StrictHostKeyChecking no
    UserKnownHostsFile $folder/known_hosts
    LogLevel ERROR
CONF
    "$sshd" -D -e -f "$folder/sshd_config" 2>"$folder/sshd.log" &
    daemon=$!
    printf '2/ssh -F %s machine1\n2/ssh -F %s machine2\n' "$folder/ssh_config" "$folder/ssh_config" >"$folder/machines"
    wait_for 30 ssh -F "$folder/ssh_config" machine1 true
}

work() {
    EXTRIAGE=$folder/holder "$source/triage/fleet/parallel.sh" "$folder/list" "$folder/cases" "$folder/fleet" --jobs 1 >"$folder/said" 2>&1
}

if command -v shellcheck >/dev/null; then
    shellcheck "$source"/triage/fleet/*.sh >"$folder/said" 2>&1
    result $? "the scripts have no mistake that shellcheck knows" "$folder/said"
fi
make_images "$folder" >"$folder/list" || skip_all "the images cannot be made"
make_holder "$folder" "$program" || skip_all "the program that holds runs cannot be built"
if start_sshd; then
    export MACHINES=$folder/machines
    echo "# over ssh, two machines"
else
    echo "# no sshd: this machine alone"
fi
touch "$folder/hold-exch02"
work &
worker=$!
wait_for 120 test -e "$folder/held-exch02"
result $? "images are at work, one run has begun" "$folder/said"
kill -KILL "$(cat "$folder/held-exch02")"
wait $worker
result $? "all are finished, also the one whose process was killed" "$folder/said"
grep -q 'going on with .*exch02' "$folder/said"
result $? "it was gone on with" "$folder/said"
same_as_undisturbed "$folder" exch02 >"$folder/compared" 2>&1
result $? "what it found is what an undisturbed run finds" "$folder/compared"
if [ -n "${MACHINES:-}" ]; then
    [ "$(awk 'NR > 1 { print $0 }' "$folder/cases/log/jobs.txt" | grep -o 'machine[12]' | sort -u | wc -l)" -eq 2 ]
    result $? "both machines took part" "$folder/cases/log/jobs.txt"
fi
jq -e '(.servers | length == 5) and any(.addresses[]; .address == "203.0.113.77" and .servers == 4)' "$folder/fleet/fleet.json" >/dev/null
result $? "all five are joined, the address that four share is found" "$folder/fleet/fleet.json"
work
[ $? -eq 0 ] && [ "$(grep -c 'is finished' "$folder/said")" -eq 5 ]
result $? "the same command again leaves alone what is finished" "$folder/said"
cp "$folder/exch01.img" "$folder/other" 2>/dev/null
mkdir "$folder/more" && cp "$folder/exch01.img" "$folder/more/exch01.raw" && echo "$folder/more/exch01.raw" >>"$folder/list"
work
[ $? -ne 0 ] && grep -q "would become the case 'exch01'" "$folder/said"
result $? "two images of one name are refused" "$folder/said"
sed -i "s|/more/exch01.raw\$|&\tother|" "$folder/list"
work
[ -e "$folder/cases/other/case.db" ] && grep -q "/other.* holds the same evidence as .*/exch01" "$folder/said"
result $? "unless the list names them apart; the same server is not counted twice for it" "$folder/said"
echo "$folder/nowhere.img" >>"$folder/list"
work
[ $? -ne 0 ] && grep -q "there is no $folder/nowhere.img" "$folder/said" && [ ! -e "$folder/cases/nowhere" ]
result $? "an image that is not there is named, and no case made of it" "$folder/said"
plan
