#!/usr/bin/env python3
"""Writes rows of aiconfigurator's measured tables as CSV, for import-cost-profiles.

The tables come with its Python package; install that yourself:
    pip install aiconfigurator-core pyarrow
    tools/sample_cost_tables.py --system b200_sxm --rows 400 --out FOLDER

A table with more than --rows rows is sampled: rows with the smallest hashes of their text are kept, so that the choice
depends on nothing else. Exit codes: 0 fine, 2 bad input.
"""

import argparse
import hashlib
import sys
from pathlib import Path

# CSV file: (table, backend, versions in order of preference)
SGLANG = ("sglang", ("0.5.14", "0.5.10"))
TABLES = {
    "gemm.csv": ("gemm", *SGLANG),
    "moe.csv": ("moe", *SGLANG),
    "moe_cutlass.csv": ("moe", "trtllm", ("1.3.0rc20",)),
    "mla_context.csv": ("context_mla", *SGLANG),
    "mla_generation.csv": ("generation_mla", *SGLANG),
    "mhc.csv": ("mhc_module", *SGLANG),
    "dsa_context.csv": ("dsa_context_module", *SGLANG),
    "dsa_generation.csv": ("dsa_generation_module", *SGLANG),
    "csa_context.csv": ("dsv4_csa_context_module", *SGLANG),
    "csa_generation.csv": ("dsv4_csa_generation_module", *SGLANG),
    "hca_context.csv": ("dsv4_hca_context_module", *SGLANG),
    "hca_generation.csv": ("dsv4_hca_generation_module", *SGLANG),
    "indexer_logits.csv": ("glm5_mqa_logits_module", *SGLANG),
    "indexer_logits_paged.csv": ("dsv4_paged_mqa_logits_module", *SGLANG),
    "indexer_topk.csv": ("glm5_topk_module", *SGLANG),
    "sparse_mla.csv": ("glm5_dsa_attn_module", *SGLANG),
    "custom_allreduce.csv": ("custom_allreduce", *SGLANG),
    "deepep_low_latency.csv": ("wideep_deepep_ll", "sglang", ("0.5.12", "0.5.14")),
    "deepep_normal.csv": ("wideep_deepep_normal", "sglang", ("0.5.12", "0.5.14")),
    "nccl.csv": ("nccl", "nccl", ("2.27.3", "2.29.2", "2.23")),
}
KINDS = {"gemm_dtype": {"bfloat16", "fp8_block"}, "moe_dtype": {"bfloat16", "fp8_block"}}
# What steps ask of this table: tokens spread evenly over many experts, FP8 by blocks.
ONLY = {
    "moe_cutlass.csv": {
        "distribution": {"balanced"},
        "moe_dtype": {"fp8_block"},
        "hidden_size": {4096, 6144, 7168},
        "num_experts": {256, 384},
    }
}


def file_of(folder, table, backend, versions):
    for version in versions:
        found = sorted(folder.glob(f"*/{backend}/{version}/{table}_perf.parquet"))
        if found:
            return found[0]
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", required=True, help="b200_sxm, gb200, h100_sxm, a100_sxm, l40s")
    parser.add_argument("--data", type=Path, help="folder of the tables (default: where the package is installed)")
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    import pyarrow.parquet

    if asked.data is None:
        import aiconfigurator_core

        asked.data = Path(aiconfigurator_core.__file__).parent / "systems" / "data"
    folder = asked.data / asked.system
    if not folder.is_dir():
        known = ", ".join(sorted(p.name for p in asked.data.iterdir() if p.is_dir()))
        print(f"{folder}: no such system; known: {known}", file=sys.stderr)
        return 2
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, where in TABLES.items():
        file = file_of(folder, *where)
        if file is None:
            continue
        table = pyarrow.parquet.read_table(file)
        wanted = {**KINDS, **ONLY.get(name, {})}
        rows = [r for r in table.to_pylist() if all(r.get(k, next(iter(v))) in v for k, v in wanted.items())]
        text = {",".join("" if c is None else str(c) for c in row.values()) for row in rows}
        kept = sorted(text, key=lambda line: hashlib.sha256(line.encode()).digest())[: asked.rows]
        (asked.out / name).write_text(",".join(table.column_names) + "\n" + "\n".join(kept) + "\n")
        print(f"{asked.out / name}: {len(kept)} of {len(text)} rows, {file.parent.parent.name} {file.parent.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
