// What differs between NVIDIA's architectures beyond the numbers of the datasheet, by compute capability.
#pragma once

#include "sim/cost/device.hpp"

namespace strata {

inline int generation(const Device& device) { return static_cast<int>(device.compute_capability); }

// Rows of an operand that an instruction of the tensor cores computes at full rate; fewer take as long. mma.sync takes
// 16 and wgmma 64 (PTX ISA, mma and wgmma shapes). tcgen05.mma takes 64 or 128, but those of 64 use half of the 128
// lanes of tensor memory (PTX ISA, tcgen05 data paths; github jax-ml/jax 593ad3e7). 0: unknown.
inline double instruction_rows(const Device& device) {
    switch (generation(device)) {
        case 8:
        case 12: return 16;
        case 9: return 64;
        case 10: return 128;
        default: return 0;
    }
}

// Whether prefill of latent attention runs in multi-head form where the tables' kernels are absorbed: on 10.x serving
// engines take the ragged kernels of 192 and 128 wide heads (SGLang's trtllm_mla, the default there;
// flashinfer.prefill.trtllm_ragged_attention_deepseek).
inline bool prefills_in_multi_head_form(const Device& device) { return generation(device) == 10; }

// FLOPs of dense BF16 products that a core ends a clock (NVIDIA's white papers on A100, H100 and Ada; B200's
// microbenchmarks, newsletter.semianalysis.com/p/dissecting-nvidia-blackwell-tensor). 0: unknown.
inline double flops_a_clock(const Device& device) {
    switch (generation(device)) {
        case 8: return device.compute_capability < 8.5 ? 2048 : 1024;
        case 9: return 4096;
        case 10: return 8192;
        default: return 0;
    }
}

// The clock at which the datasheet's peak is reached. 0: unknown.
inline double clock_hz(const Device& device) {
    const double flops = flops_a_clock(device) * device.cores;
    return flops > 0 ? device.bf16.si() / flops : 0;
}

}  // namespace strata
