#!/usr/bin/env bash
# Puts the headers that kernels/ needs beside the CUDA Toolkit into a folder, to be carried to a machine that has none:
#   kernels/gather_headers.sh FOLDER [PROJECT]
# and there: cmake -G Ninja -S kernels -B build -DSTRATA_HEADERS=FOLDER && cmake --build build
set -euo pipefail
folder=$1
project=${2:-$(cd "$(dirname "$0")/.." && pwd)}
mkdir -p "$folder/hwmodels"
cp "$project/hwmodels/units.hpp" "$folder/hwmodels/"
for library in nlohmann CLI; do
    for place in /usr/include /usr/local/include "$project/include"; do
        [ -d "$place/$library" ] && cp -rL "$place/$library" "$folder/" && break
    done
    [ -d "$folder/$library" ] || { echo "$library/ was not found: install nlohmann-json3-dev and libcli11-dev" >&2; exit 1; }
done
