#!/usr/bin/env bash
# Every test, from nothing: packages, configure, build, ctest. ./run-tests.sh [release|debug|sanitize]
set -euo pipefail
cd "$(dirname "$0")"
preset=${1:-release}
echo "== packages"
tools/install-packages.sh
echo "== configure ($preset)"
cmake --preset "$preset" >/dev/null
echo "== build"
cmake --build --preset "$preset"
echo "== tests"
ctest --test-dir "build/$preset" --no-tests=error --output-on-failure -j "$(nproc)"
