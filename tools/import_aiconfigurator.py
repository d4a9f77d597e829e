#!/usr/bin/env python3
"""Turns measured tables of aiconfigurator (Apache-2.0) into records of this project with `origin: published`.

The tables come with its Python package; install that yourself:
    pip install aiconfigurator-core pyarrow
    tools/import_aiconfigurator.py --system h200_sxm --backend sglang --version 0.5.14 --table mhc_module --out FILE

A record's shape holds every column that is no time and no label, under the table's own names; its time is the table's
`latency` in microseconds. Rows without a positive time are left out and counted. Exit codes: 0 fine, 2 bad input.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

LABELS = ("framework", "version", "device", "op_name", "kernel_source", "latency", "power", "power_limit")


class InputError(Exception):
    """What is wrong, what was expected."""


def installed_tables():
    try:
        import aiconfigurator_core
    except ImportError:
        raise InputError("aiconfigurator-core is not installed: pip install aiconfigurator-core, or name the folder of "
                         "its tables with --data") from None
    return Path(aiconfigurator_core.__file__).parent / "systems" / "data"


def table_files(data, system, backend, version, table):
    folder = data / system
    if not folder.is_dir():
        known = sorted(p.name for p in data.iterdir() if p.is_dir()) if data.is_dir() else []
        raise InputError(f"{folder}: no such system; known: {', '.join(known) or 'none'}")
    files = sorted(folder.glob(f"*/{backend}/{version}/{table}_perf.parquet"))
    if not files:
        known = sorted({p.name.removesuffix("_perf.parquet") for p in folder.glob(f"*/{backend}/{version}/*_perf.parquet")})
        raise InputError(f"{system}: no table '{table}' of {backend} {version}; known: {', '.join(known) or 'none'}")
    return files


def shape_of(row):
    return {name: value for name, value in row.items() if name not in LABELS and isinstance(value, (int, str))}


def records(file, source):
    """The run's line, then one for each row; and how many rows had no time."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(file).to_pylist()
    if not rows or "latency" not in rows[0]:
        raise InputError(f"{file}: expected a table with a column 'latency' in milliseconds")
    name = file.name.removesuffix("_perf.parquet")
    lines = [{"schema": "strata.kernel-record.1", "kind": "run", "origin": "published", "run_id": f"{source}/{name}",
              "utc": None, "source": source, "gpu": {"name": rows[0]["device"]}}]
    left_out = 0
    for row in rows:
        if not row["latency"] or row["latency"] <= 0:
            left_out += 1
            continue
        lines.append({"schema": "strata.kernel-record.1", "kind": "sample", "origin": "published",
                      "kernel": f"{name}/{row['op_name']}", "shape": shape_of(row), "source": row["kernel_source"],
                      "outcome": "published", "t_us": {"median": row["latency"] * 1e3}})
    return lines, left_out


def write_whole(path, lines):
    handle, temporary = tempfile.mkstemp(dir=path.parent or ".", prefix=path.name)
    with os.fdopen(handle, "w") as out:
        for line in lines:
            out.write(json.dumps(line) + "\n")
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", required=True, help="h200_sxm, h100_sxm, b200_sxm, ...")
    parser.add_argument("--backend", required=True, help="sglang, vllm, trtllm, nccl")
    parser.add_argument("--version", required=True, help="of the backend: 0.5.14")
    parser.add_argument("--table", required=True, help="mhc_module, gemm, moe, ...")
    parser.add_argument("--data", type=Path, help="folder of the tables (default: where the package is installed)")
    parser.add_argument("--out", type=Path, required=True, help="the record (JSON lines) to write")
    asked = parser.parse_args()
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        print("import_aiconfigurator: pyarrow is not installed: pip install pyarrow", file=sys.stderr)
        return 2
    try:
        data = asked.data or installed_tables()
        lines, left_out = [], 0
        for file in table_files(data, asked.system, asked.backend, asked.version, asked.table):
            source = f"aiconfigurator-core, {asked.system}/{file.parts[-4]}/{asked.backend}/{asked.version}"
            some, without = records(file, source)
            lines += some
            left_out += without
        write_whole(asked.out, lines)
    except (InputError, OSError) as wrong:
        print(f"import_aiconfigurator: {wrong}", file=sys.stderr)
        return 2
    print(f"{len(lines) - 1} rows, {left_out} without a time left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
