#!/usr/bin/env bash
# Runs every kernel on its small shapes under compute-sanitizer, tool after tool. On a machine with a GPU:
#   kernels/sanitize.sh build/bin/strata-kernels [FILTER]
set -uo pipefail
program=$1
filter=${2:-}
command -v compute-sanitizer > /dev/null || {
    echo "compute-sanitizer was not found: it comes with the CUDA Toolkit (package cuda-sanitizer)" >&2
    exit 3
}
failed=0
for tool in memcheck racecheck synccheck initcheck; do
    echo "== $tool"
    # The bench reads outputs that it has poisoned itself; padding that nobody writes is not compared.
    compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 20 "$program" check ${filter:+--filter "$filter"} || {
        status=$?
        [ $status -eq 77 ] && exit 77
        failed=1
        echo "== $tool: exit code $status" >&2
    }
done
exit $failed
