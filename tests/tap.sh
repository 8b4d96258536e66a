# What tests in sh print: TAP, one line for each check, counted by `make check`. The caller sets $said: where the output of a command
# stands that a failure shows.
number=0 failed=0

result() { # text; 0 or not by the command before
    code=$?
    number=$((number + 1))
    if [ "$code" -eq 0 ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        tail -n 25 "$said" 2>/dev/null | sed 's/^/# /'
        failed=1
    fi
}
run() { "$@" >"$said" 2>&1; }
