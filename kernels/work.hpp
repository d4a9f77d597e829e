// What an op must do whatever runs it: arithmetic, and bytes to and from the accelerator's memory. Counted once, in
// each op's header, and used by the bench, the cost book and both engines.
#pragma once

#include "hwmodels/units.hpp"

namespace strata {

struct Work {
    Flops flops;  // a multiply-add counts two
    Bytes read;
    Bytes written;

    constexpr Bytes bytes() const { return read + written; }
};

// How the elements of a tensor are stored. Block formats carry their scales in `bytes_per_element`.
enum class Precision { bf16, fp8_block, fp8_tile, fp4_block };

// fp8_block: E4M3 with one FP32 scale per 128x128 block (DeepSeek-V3 weights, arXiv 2412.19437 section 3.3);
// fp8_tile: E4M3 with one FP32 scale per 1x128 tile (V3 activations);
// fp4_block: E2M1 with one UE8M0 scale per 1x32 block (V4 experts, arXiv 2606.19348).
constexpr double bytes_per_element(Precision precision) {
    switch (precision) {
        case Precision::bf16: return 2.0;
        case Precision::fp8_block: return 1.0 + 4.0 / (128 * 128);
        case Precision::fp8_tile: return 1.0 + 4.0 / 128;
        case Precision::fp4_block: return 0.5 + 1.0 / 32;
    }
    return 0;  // unreachable: the enum is complete
}

}  // namespace strata
