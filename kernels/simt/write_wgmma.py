#!/usr/bin/env python3
"""Writes wgmma_bf16.cuh and wgmma_e4m3.cuh: the instruction wgmma.mma_async for each width N.

Inline assembly must name every accumulator register, N / 2 of them, and a template cannot; so these two files are
written by this script: kernels/simt/write_wgmma.py [FOLDER]
"""
import pathlib
import sys

WIDTHS = [8, 16, 24, 32, 48, 64, 96, 128, 192, 256]


def wrapped(items, indent, limit=118):
    lines, line = [], indent
    for i, item in enumerate(items):
        piece = item + (", " if i + 1 < len(items) else "")
        if len(line) + len(piece.rstrip()) > limit:
            lines.append(line.rstrip())
            line = indent
        line += piece
    return lines + [line]


def quoted(items, indent):
    """The text of a list of registers as adjacent string literals."""
    lines, line = [], ""
    for i, item in enumerate(items):
        piece = item + (", " if i + 1 < len(items) else "")
        if len(indent) + len(line) + len(piece) > 114:
            lines.append(f'{indent}"{line}"')
            line = ""
        line += piece
    return lines + [f'{indent}"{line}"']


def statement(n, shape, types, a_registers, transposed):
    count, indent = n // 2, " " * 12
    after = count
    if a_registers:
        a_text = "{" + ", ".join(f"%{after + i}" for i in range(4)) + "}"
        a_operands = ", ".join(f'"r"(a.at[{i}])' for i in range(4))
        after += 4
    else:
        a_text, a_operands = f"%{after}", '"l"(a)'
        after += 1
    b_text, add_text = f"%{after}", f"%{after + 1}"
    immediates = "add, 1, 1"
    extra = ""
    if transposed:  # BF16 alone says which operands are transposed: A only where it comes from shared memory
        immediates += (", " if a_registers else ", 0, ") + f"%{after + 2}"
        extra = ', "n"(b_is_mn_major)'
    first = "" if n == WIDTHS[0] else "} else "
    lines = [f"    {first}if constexpr (n == {n}) {{", "        asm volatile("]
    lines += [f'{indent}"{{\\n.reg .pred add;\\nsetp.ne.b32 add, {add_text}, 0;\\n"',
              f'{indent}"wgmma.mma_async.sync.aligned.m64n{n}{shape}.f32.{types} {{"']
    lines += quoted([f"%{i}" for i in range(count)], indent)
    lines += [f'{indent}"}}, {a_text}, {b_text}, {immediates};\\n}}"']
    outputs = wrapped([f'"+f"(d[{i}])' for i in range(count)], indent + "  ")
    outputs[0] = indent + ": " + outputs[0].lstrip()
    lines += outputs
    lines += [f'{indent}: {a_operands}, "l"(b), "r"(int(add)){extra});']
    return lines


def function(shape, types, a_registers, transposed):
    template = "template <int n, int b_is_mn_major>" if transposed else "template <int n>"
    a = "const WgmmaA& a" if a_registers else "std::uint64_t a"
    kind = types.split(".")[0]
    lines = [template,
             f"__device__ __forceinline__ void wgmma_{kind}(float (&d)[n / 2], {a}, std::uint64_t b, bool add) {{"]
    for n in WIDTHS:
        lines += statement(n, shape, types, a_registers, transposed)
    return lines + ["    } else {", '        static_assert(n < 0, "a width that write_wgmma.py does not write");', "    }", "}"]


def file(kind, shape, transposed):
    lines = [f"// The instruction wgmma.mma_async m64nN{shape} of {kind.upper()} for each width N, A by descriptor or from",
             "// registers. Written by write_wgmma.py: change that.", "// clang-format off", "#pragma once", "",
             "#include <cstdint>", "", '#include "kernels/simt/wgmma_registers.hpp"', "", "namespace strata {", ""]
    for a_registers in (False, True):
        lines += function(shape, f"{kind}.{kind}", a_registers, transposed) + [""]
    return "\n".join(lines + ["}  // namespace strata"]) + "\n"


folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
(folder / "wgmma_bf16.cuh").write_text(file("bf16", "k16", True))
(folder / "wgmma_e4m3.cuh").write_text(file("e4m3", "k32", False))
