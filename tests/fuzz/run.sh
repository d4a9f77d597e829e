#!/usr/bin/env bash
# Runs every fuzzer for SECONDS, one after another: tests/fuzz/run.sh SECONDS [TARGET...]
# A find stays in tests/fuzz/corpus/<target> as find-<hash>: mend what it found and commit both.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [TARGET...]}
shift
cmake --preset fuzz >/dev/null
cmake --build build/fuzz --target fuzzers
if [ $# -eq 0 ]; then set -- $(cd build/fuzz/bin && ls -d fuzz-* | sed 's/^fuzz-//'); fi
failed=0
for target in "$@"; do
    seeds=()
    case $target in
        scenario) seeds=(scenarios/examples scenarios/studies) ;;
        model) seeds=(scenarios/models) ;;
        catalogue) seeds=(hwmodels/catalog/accelerators hwmodels/catalog/dram hwmodels/catalog/nvme hwmodels/catalog/pcie hwmodels/catalog/fabrics) ;;
    esac
    mkdir -p "build/fuzz/grown/$target"  # what reaches new code: kept between runs, not in the tree
    echo "== $target"
    "build/fuzz/bin/fuzz-$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=16384 \
        -artifact_prefix="tests/fuzz/corpus/$target/find-" -print_final_stats=1 \
        "build/fuzz/grown/$target" "tests/fuzz/corpus/$target" ${seeds[@]+"${seeds[@]}"} 2>"build/fuzz/$target.log" || failed=1
    grep -E "stat::(number_of_executed|new_units)|SUMMARY|ERROR" "build/fuzz/$target.log" || tail -5 "build/fuzz/$target.log"
done
exit $failed
