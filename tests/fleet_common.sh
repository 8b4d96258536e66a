# What the tests of triage/fleet/ share: TAP, small images of servers, and a way to stop a run in its midst.
number=0 fails=0

result() { # status of a test, text, file with what was said
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        [ -z "${3:-}" ] || sed 's/^/# /' "$3" | tail -n 40
        fails=$((fails + 1))
    fi
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

need() {
    for program; do
        command -v "$program" >/dev/null || skip_all "there is no $program"
    done
}

# Five images with a proxy log each; an intruder of one address was on four of them, one after the other.
make_images() { # folder
    for server in 1 2 3 4 5; do
        tree=$1/tree-$server logs="Exchange Server/V15/Logging/HttpProxy/Ecp"
        mkdir -p "$tree/$logs"
        {
            printf '#Software: Microsoft Exchange Server\r\n#Log-type: HttpProxy Logs\r\n'
            printf '#Fields: DateTime,UrlStem,ClientIpAddress,UserAgent,HttpStatus,Method,AnchorMailbox,Protocol\r\n'
            [ "$server" -eq 5 ] ||
                printf '2021-03-0%d%s\r\n' "$server" "T04:37:12.000Z,/ecp/y.js,203.0.113.77,ExampleAgent/1.0,200,POST,ServerInfo~a]@exch0$server.example.org:444/autodiscover/autodiscover.xml?#,Ecp"
            printf '2021-03-0%d%s\r\n' "$server" "T08:00:00.000Z,/ecp/,10.0.0.9,Mozilla/5.0,200,GET,user@example.org,Ecp"
        } >"$tree/$logs/HttpProxy_2021030${server}04-1.LOG"
        mke2fs -q -F -t ext4 -d "$tree" "$1/exch0$server.img" 8M >/dev/null || return 1
        rm -rf "$tree"
        echo "$1/exch0$server.img"
    done
}

# A program that stands in for extriage: where a file hold-CASE lies in the folder, the run stops when its case has begun and nothing of the
# evidence is read (hostile/held_run.c), puts its number into held-CASE, and waits for a signal. Once only.
make_holder() { # folder, program
    ${CC:-cc} -D_GNU_SOURCE -shared -fPIC -O1 -o "$1/held_run.so" "$source/tests/hostile/held_run.c" || return 1
    cat >"$1/holder" <<HOLDER
#!/bin/bash
case=
for argument; do [ "\$last" = --output ] && case=\$argument; last=\$argument; done
export HOLD=$1/hold-\${case##*/} HELD=$1/held-\${case##*/} HOLD_BEGUN=\$case/case.db.partial
LD_PRELOAD=$1/held_run.so exec "$2" "\$@"
HOLDER
    chmod +x "$1/holder"
}

wait_for() { # seconds, command ...
    left=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

# Whether the case says what an undisturbed run says.
same_as_undisturbed() { # folder, name
    "$EXTRIAGE" run -q "$1/$2.img" -o "$1/undisturbed-$2"
    cmp "$1/undisturbed-$2/case.db" "$1/cases/$2/case.db" && cmp "$1/undisturbed-$2/timeline.jsonl" "$1/cases/$2/timeline.jsonl"
}

plan() {
    echo "1..$number"
    [ "$fails" -eq 0 ]
}
