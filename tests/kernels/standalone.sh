#!/usr/bin/env bash
# kernels/ builds alone: from a copy of that folder and a folder of headers, with nothing else of this project.
# standalone.sh SOURCE_DIR
# What could be missing there is a header or a source: every source is preprocessed as it would be compiled. Code is made
# of the same sources in the project's own build.
set -euo pipefail
source=$1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp -r "$source/kernels" "$place/kernels"
"$place/kernels/gather_headers.sh" "$place/headers" "$source"
cmake -G Ninja -S "$place/kernels" -B "$place/build" -DSTRATA_HEADERS="$place/headers" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    > "$place/configured"
python3 - "$place/build/compile_commands.json" <<'PYTHON'
import json, re, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

def preprocess(step):
    command = re.sub(r" -o \S+", " -o /dev/null", step["command"]) + " -E"
    done = subprocess.run(command, shell=True, cwd=step["directory"], capture_output=True, text=True)
    return done.returncode == 0 or print(step["file"], done.stderr[-2000:], sep="\n")

steps = json.load(open(sys.argv[1]))
kernels = sum(step["file"].endswith(".cu") for step in steps)
with ThreadPoolExecutor() as pool:
    fine = all(list(pool.map(preprocess, steps)))
print(f"preprocessed alone: {len(steps)} sources, {kernels} of them .cu")
sys.exit(0 if fine and kernels >= 30 else 1)
PYTHON
