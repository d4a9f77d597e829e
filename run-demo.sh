#!/usr/bin/env bash
# The demonstration, from nothing: packages, configure, build, and the allocation study of scenarios/engram-allocation.yaml
# with its report. ./run-demo.sh [OUTPUT_FOLDER]
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-out/demo}
echo "== packages" >&2
tools/install-packages.sh >&2
echo "== configure" >&2
cmake --preset release >/dev/null
echo "== build" >&2
cmake --build --preset release >&2
[ -x build/release/bin/strata-print ] || echo "strata-print is not built (Qt6, QCustomPlot): no figures, all else is written" >&2
echo "== run" >&2
build/release/bin/strata run scenarios/engram-allocation.yaml --out "$out"
echo
echo "Report: $out/report.html (open it in a browser; needs no network)"
