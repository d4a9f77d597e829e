#!/usr/bin/env python3
"""The importer on a small table of its own making. Exit code 77 (skipped) where pyarrow is not installed."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import pyarrow
    import pyarrow.parquet
except ImportError:
    print("pyarrow is not installed")
    sys.exit(77)

IMPORTER = Path(sys.argv[1]) / "tools" / "import_aiconfigurator.py"


def run(data, out, table="mhc_module"):
    return subprocess.run([sys.executable, IMPORTER, "--data", data, "--system", "h200_sxm", "--backend", "sglang",
                           "--version", "1.0", "--table", table, "--out", out], capture_output=True, text=True)


with tempfile.TemporaryDirectory() as place:
    folder = Path(place) / "data" / "h200_sxm" / "mhc" / "sglang" / "1.0"
    folder.mkdir(parents=True)
    rows = {"framework": ["SGLang"] * 2, "version": ["1.0"] * 2, "device": ["NVIDIA H200"] * 2, "op_name": ["pre", "pre"],
            "kernel_source": ["a kernel"] * 2, "num_tokens": [64, 128], "latency": [0.0103, 0.0]}
    pyarrow.parquet.write_table(pyarrow.table(rows), folder / "mhc_module_perf.parquet")
    out = Path(place) / "out.jsonl"

    done = run(Path(place) / "data", out)
    assert done.returncode == 0, done.stderr
    assert "1 rows, 1 without a time" in done.stdout, done.stdout
    head, sample = [json.loads(line) for line in out.read_text().splitlines()]
    assert head["kind"] == "run" and head["origin"] == "published" and head["gpu"]["name"] == "NVIDIA H200", head
    assert sample["kernel"] == "mhc_module/pre" and sample["shape"] == {"num_tokens": 64}, sample
    assert abs(sample["t_us"]["median"] - 10.3) < 1e-9, sample

    wrong = run(Path(place) / "data", out, table="mch_module")
    assert wrong.returncode == 2 and "known: mhc_module" in wrong.stderr, wrong.stderr
print("ok")
