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
enum class Precision { bf16, fp8_block, fp8_tile, fp4_block, fp8_tensor, mxfp8, nvfp4, int8, q4_k_m, two_bit };

// fp8_block: E4M3 with one FP32 scale per 128x128 block (DeepSeek-V3 weights, arXiv 2412.19437 section 3.3);
// fp8_tile: E4M3 with one FP32 scale per 1x128 tile (V3 activations);
// fp4_block: MXFP4, E2M1 with one UE8M0 scale per 1x32 block (V4 experts, arXiv 2606.19348);
// fp8_tensor: E4M3 with one FP32 scale a tensor, which is too little to count;
// mxfp8: E4M3 with one UE8M0 scale per 1x32 block (OCP Microscaling Formats 1.0; Engram rows of V4.1-Flash);
// nvfp4: E2M1 with one E4M3 scale per 1x16 block and an FP32 one a tensor (KV entries of V4.1-Flash, without the
// latter);
// int8: one FP32 scale a channel of weights or a token of activations, which is too little to count;
// q4_k_m: the mix of llama.cpp's file type of that name (its llama_tensor_get_type): gate and up in Q4_K of 4.5 bits,
// down in Q4_K in one half of the layers and in Q6_K of 6.5625 bits in the other. Other matrices are counted as if so
// mixed; two_bit: codebooks of 2.0 bits a weight (EXL3 and its like), whose scales are too little to count.
constexpr double bytes_per_element(Precision precision) {
    switch (precision) {
        case Precision::bf16: return 2.0;
        case Precision::fp8_block: return 1.0 + 4.0 / (128 * 128);
        case Precision::fp8_tile: return 1.0 + 4.0 / 128;
        case Precision::fp4_block: return 0.5 + 1.0 / 32;
        case Precision::fp8_tensor: return 1.0;
        case Precision::mxfp8: return 1.0 + 1.0 / 32;
        case Precision::nvfp4: return 0.5 + 1.0 / 16;
        case Precision::int8: return 1.0;
        case Precision::two_bit: return 0.25;
        case Precision::q4_k_m: return (2 * 4.5 + (4.5 + 6.5625) / 2) / 3 / 8;
    }
    return 0;  // unreachable: the enum is complete
}

// Activations that products with such weights take unless a model says otherwise; products run in what the activations
// are. Weights in blocks of FP8 meet 1x128 tiles (DeepSeek-V3, section 3.3), MXFP4 ones too: they are widened to FP8
// without loss, their scales being powers of two (DeepSeek-V4, arXiv 2606.19348). One scale a tensor meets one a
// tensor. NVFP4's scales fit no FP8 number, so such weights are widened to BF16; so are those of Q4_K_M and of two
// bits. INT8 meets INT8.
constexpr Precision activations_for(Precision weights) {
    switch (weights) {
        case Precision::bf16:
        case Precision::nvfp4:
        case Precision::two_bit:
        case Precision::q4_k_m: return Precision::bf16;
        case Precision::int8: return Precision::int8;
        case Precision::fp8_tensor: return Precision::fp8_tensor;
        default: return Precision::fp8_tile;
    }
}

}  // namespace strata
