#!/usr/bin/env bash
# kernels/ builds alone: from a copy of that folder and a folder of headers, with nothing else of this project.
# standalone.sh SOURCE_DIR
set -euo pipefail
source=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export CCACHE_BASEDIR=$place CCACHE_NOHASHDIR=1  # what was compiled in another such place is found again
cp -r "$source/kernels" "$place/kernels"
"$place/kernels/gather_headers.sh" "$place/headers" "$source"
cmake -G Ninja -S "$place/kernels" -B "$place/build" -DSTRATA_HEADERS="$place/headers" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" > "$place/configured"
cmake --build "$place/build" --target strata-kernels > "$place/built" || { tail -40 "$place/built"; exit 1; }
"$place/build/bin/strata-kernels" list > "$place/list"
grep -q '^mhc/\|^quant/' "$place/list"
status=0
"$place/build/bin/strata-kernels" check > "$place/checked" 2>&1 || status=$?
case $status in 0 | 77) ;; *) cat "$place/checked"; exit 1 ;; esac
echo "built alone: $(grep -vc '^ ' "$place/list") kernels"
