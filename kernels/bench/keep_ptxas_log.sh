#!/usr/bin/env bash
# Runs the compiler given as arguments and keeps what it says in <object>.ptxas. Resource lines of ptxas, hundreds of
# them, do not reach the terminal; warnings and errors do.
set -uo pipefail
object=/dev/null
for ((i = 1; i < $#; ++i)); do
    [ "${!i}" = -o ] && next=$((i + 1)) && object=${!next}
done
log=$object.ptxas
case $object in *.o) ;; *) exec "$@" ;; esac
"$@" 2> "$log"
status=$?
if [ $status -ne 0 ]; then
    cat "$log" >&2
else
    grep -v -e '^ptxas info' -e 'bytes stack frame' -e '^$' "$log" >&2
fi
exit $status
