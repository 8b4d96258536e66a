#!/bin/sh
# Runs a unit test as it is, but for one thing: cmocka says "not ok N # SKIP" of a skipped test, which TAP counts as failed.
exec 4>&1
status=$(
    {
        { "$@" 3>&- 4>&-; echo $? >&3; } | sed 's/^not ok \([0-9]* # SKIP\)/ok \1/' >&4 3>&- 4>&-
    } 3>&1
)
exit "${status:-99}"
