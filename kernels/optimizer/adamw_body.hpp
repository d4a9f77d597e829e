// AdamW over all tensors of a model in one launch. A chunk is up to 4096 neighbouring parameters of one tensor and a
// block's work: a table of chunks, written once, lets a launch be balanced whatever the tensors' sizes. A thread asks
// for all that eight parameters have (up to 112 bytes) before it computes.
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/elements.hpp"
#include "kernels/optimizer/neighbours.hpp"
#include "kernels/optimizer/stochastic_rounding.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

// State: float, or Bf16 with rounding by chance. All buffers are aligned to 16 bytes.
template <class State>
struct AdamWTensor {
    Bf16* weight = nullptr;
    float* master = nullptr;  // only where the task has masters
    State* m = nullptr;
    State* v = nullptr;
    const Bf16* gradient = nullptr;
    long count = 0;
};

struct AdamWChunk {
    std::int32_t tensor = 0;
    std::int32_t index = 0;  // in the tensor: parameters from index * kAdamWChunk
};

inline constexpr long kAdamWChunk = 4096;
inline constexpr int kAdamWThreads = 256;

template <class State, bool has_master>
struct AdamWTask {
    const AdamWTensor<State>* tensors = nullptr;  // in device memory
    const AdamWChunk* chunks = nullptr;           // in device memory, from adamw_chunks
    const float* gradient_scale = nullptr;        // one number in device memory, as clipping leaves it; absent: 1
    std::int32_t tensor_count = 0;
    long chunk_count = 0;
    float rate = 0, beta1 = 0.9f, beta2 = 0.95f, eps = 1e-20f, decay = 0.1f;
    long step = 1;           // from 1
    std::uint64_t seed = 0;  // of rounding by chance
};

// Throws std::invalid_argument where a tensor has what cannot be walked in packs, or lacks a buffer.
template <bool has_master, class State>
std::vector<AdamWChunk> adamw_chunks(const std::vector<AdamWTensor<State>>& tensors) {
    std::vector<AdamWChunk> chunks;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const AdamWTensor<State>& tensor = tensors[i];
        const std::string name = "adamw: tensor " + std::to_string(i);
        if (tensor.count < 0)
            throw std::invalid_argument(name + " has " + std::to_string(tensor.count) + " parameters");
        for (const void* buffer :
             {static_cast<const void*>(tensor.weight), static_cast<const void*>(tensor.m),
              static_cast<const void*>(tensor.v), static_cast<const void*>(tensor.gradient),
              has_master ? static_cast<const void*>(tensor.master) : static_cast<const void*>(tensor.weight)})
            if (tensor.count > 0 && (!buffer || reinterpret_cast<std::uintptr_t>(buffer) % 16 != 0))
                throw std::invalid_argument(name + ": expected every buffer, aligned to 16 bytes");
        for (long at = 0; at < tensor.count; at += kAdamWChunk)
            chunks.push_back({std::int32_t(i), std::int32_t(at / kAdamWChunk)});
    }
    return chunks;
}

template <class State, bool has_master>
void require_valid(const AdamWTask<State, has_master>& task) {
    if (task.chunk_count < 0 || task.chunk_count > 0x7FFFFFFF || task.step < 1)
        throw std::invalid_argument("adamw: " + std::to_string(task.chunk_count) + " chunks at step " +
                                    std::to_string(task.step) + "; expected 0 to 2^31 - 1 chunks and a step from 1");
    if (!(task.beta1 >= 0 && task.beta1 < 1 && task.beta2 >= 0 && task.beta2 < 1))
        throw std::invalid_argument("adamw: expected betas from 0 to below 1");
    if (task.chunk_count > 0 && (!task.tensors || !task.chunks))
        throw std::invalid_argument("adamw: a buffer is missing (tensors and chunks are needed)");
}

template <class State, bool has_master>
Grid grid_of(const AdamWTask<State, has_master>& task) {
    return {.blocks = int(task.chunk_count), .threads = kAdamWThreads};
}

// What is the same for all parameters of a step; the host computes it, in double.
struct AdamWStep {
    float rate_corrected;   // rate / (1 - beta1^t)
    float root_correction;  // 1 / sqrt(1 - beta2^t)
    float kept;             // 1 - rate * decay
    float one_minus_beta1, one_minus_beta2, eps;
};

template <class State, bool has_master>
AdamWStep step_of(const AdamWTask<State, has_master>& task) {
    const double beta1 = task.beta1, beta2 = task.beta2, rate = task.rate;
    return {.rate_corrected = float(rate / (1 - std::pow(beta1, double(task.step)))),
            .root_correction = float(1 / std::sqrt(1 - std::pow(beta2, double(task.step)))),
            .kept = float(1 - rate * double(task.decay)),
            .one_minus_beta1 = float(1 - beta1),
            .one_minus_beta2 = float(1 - beta2),
            .eps = task.eps};
}

// a / (sqrt(b) correction + eps), each operation to two units in the last place. The root of a float is far from where
// an inverse would need scaling.
STRATA_HD float over_root(float a, float b, float correction, float eps) {
#ifdef __CUDA_ARCH__
    float root, inverse;
    asm("sqrt.approx.f32 %0, %1;" : "=f"(root) : "f"(b));
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(fmaf(root, correction, eps)));
    return a * inverse;
#else
    return a / std::fma(std::sqrt(b), correction, eps);
#endif
}

struct AdamWNumbers {
    float weight, m, v;
};

// A NaN or infinite gradient makes its own parameter NaN and no other.
STRATA_HD AdamWNumbers adamw_step(const AdamWNumbers& before, float gradient, const AdamWStep& step) {
    const float m = fmaf(step.one_minus_beta1, gradient - before.m, before.m);
    const float v = fmaf(step.one_minus_beta2, fmaf(gradient, gradient, -before.v), before.v);
    const float move = over_root(m, v, step.root_correction, step.eps);
    return {fmaf(-step.rate_corrected, move, before.weight * step.kept), m, v};
}

// Sixteen bits each for the weight and the moments of parameter `index` of tensor `tensor`; a multiplicative hash
// (Mueller's, of 32 bits) of the pack's 64 mixed bits, because 64-bit multiplications for each would bound the kernel.
struct Chances {
    std::uint32_t moments;  // low half m, high half v
    std::uint32_t weight;   // low half
};

STRATA_HD std::uint32_t mixed_word(std::uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return x ^ (x >> 16);
}

STRATA_HD Chances chances_of(std::uint64_t pack_bits, int element) {
    const std::uint32_t low = std::uint32_t(pack_bits), high = std::uint32_t(pack_bits >> 32);
    return {mixed_word(low + std::uint32_t(element) * 0x9E3779B9u),
            mixed_word(high + std::uint32_t(element) * 0x9E3779B9u)};
}

STRATA_HD std::uint64_t pack_bits_of(std::uint64_t seed, long step, std::int32_t tensor, long pack) {
    return mixed_bits(mixed_bits(seed + std::uint64_t(step) * 0xD1342543DE82EF95ull + std::uint64_t(tensor)) +
                      std::uint64_t(pack));
}

// Stores to BF16 by chance and to FP32 as it is.
STRATA_HD Bf16 stored(float x, std::uint32_t chance, Bf16) { return round_by_chance(x, chance); }
STRATA_HD float stored(float x, std::uint32_t, float) { return x; }

// One parameter, for the ends of tensors and for packs alike: `weight` is the master or, without one, the parameter.
template <bool has_master, class State>
STRATA_HD void adamw_element(float& master, Bf16& weight, State& m, State& v, float gradient, const AdamWStep& step,
                             const Chances& chances) {
    const AdamWNumbers before{has_master ? master : to_float(weight), to_float(m), to_float(v)};
    const AdamWNumbers after = adamw_step(before, gradient, step);
    m = stored(after.m, chances.moments, State{});
    v = stored(after.v, chances.moments >> 16, State{});
    master = after.weight;
    weight = has_master ? to_bf16(after.weight) : round_by_chance(after.weight, chances.weight);
}

// How many neighbours a thread takes at once: what is 16 bytes of the widest type it has.
template <class State, bool has_master>
inline constexpr int kAdamWGroup = has_master || sizeof(State) == 4 ? 4 : 8;

template <class State, bool has_master>
struct AdamWGroup {
    static constexpr int kSize = kAdamWGroup<State, has_master>;
    Neighbours<Bf16, kSize> gradient, weight;
    Neighbours<State, kSize> m, v;
    Neighbours<float, kSize> master;
};

template <class State, bool has_master>
STRATA_BODY void load_group(AdamWGroup<State, has_master>& group, const AdamWTensor<State>& of, long at) {
    constexpr int kSize = kAdamWGroup<State, has_master>;
    group.gradient = load_neighbours<kSize>(of.gradient, at);
    group.m = load_neighbours<kSize>(of.m, at);
    group.v = load_neighbours<kSize>(of.v, at);
    if constexpr (has_master)
        group.master = load_neighbours<kSize>(of.master, at);
    else
        group.weight = load_neighbours<kSize>(of.weight, at);
}

// Pointers that come from memory are generic to the compiler; these are not.
template <class T>
STRATA_HD T* in_global_memory(T* pointer) {
#ifdef __CUDA_ARCH__
    __builtin_assume(__isGlobal(pointer));
#endif
    return pointer;
}

template <bool has_master, class State>
STRATA_HD AdamWTensor<State> in_global_memory(const AdamWTensor<State>& of) {
    return {.weight = in_global_memory(of.weight),
            .master = has_master ? in_global_memory(of.master) : nullptr,
            .m = in_global_memory(of.m),
            .v = in_global_memory(of.v),
            .gradient = in_global_memory(of.gradient),
            .count = of.count};
}

template <class Thread, class State, bool has_master>
STRATA_BODY void adamw(Thread& t, const AdamWTask<State, has_master>& task, const AdamWStep& step) {
    constexpr int kSize = kAdamWGroup<State, has_master>, kGroups = 8 / kSize;
    const AdamWChunk chunk = task.chunks[t.block()];
    if (chunk.tensor < 0 || chunk.tensor >= task.tensor_count || chunk.index < 0) return;
    const AdamWTensor<State> of = in_global_memory<has_master>(task.tensors[chunk.tensor]);
    const float scale = task.gradient_scale ? *task.gradient_scale : 1.0f;
    const long first = chunk.index * kAdamWChunk;
    const long end = first + kAdamWChunk < of.count ? first + kAdamWChunk : of.count;
    for (long from = first + t.thread() * kSize; from < end; from += kAdamWThreads * 8) {
        AdamWGroup<State, has_master> groups[kGroups];
        STRATA_UNROLL
        for (int j = 0; j < kGroups; ++j) {
            const long at = from + j * kAdamWThreads * kSize;
            if (at + kSize <= end) load_group(groups[j], of, at);
        }
        STRATA_UNROLL
        for (int j = 0; j < kGroups; ++j) {
            const long at = from + j * kAdamWThreads * kSize;
            if (at >= end) continue;
            AdamWGroup<State, has_master>& group = groups[j];
            const std::uint64_t bits = pack_bits_of(task.seed, task.step, chunk.tensor, at / 8);
            const int element = int(at % 8);  // of the eight that share `bits`
            if (at + kSize <= end) {
                STRATA_UNROLL
                for (int i = 0; i < kSize; ++i)
                    adamw_element<has_master>(group.master.at[i], group.weight.at[i], group.m.at[i], group.v.at[i],
                                              scale * to_float(group.gradient.at[i]), step,
                                              chances_of(bits, element + i));
                store_neighbours(of.m, at, group.m);
                store_neighbours(of.v, at, group.v);
                if constexpr (has_master) store_neighbours(of.master, at, group.master);
                store_neighbours(of.weight, at, group.weight);
                continue;
            }
            for (int i = 0; at + i < end; ++i) {  // the end of the tensor
                float master = 0;
                if constexpr (has_master) master = of.master[at + i];
                adamw_element<has_master>(master, of.weight[at + i], of.m[at + i], of.v[at + i],
                                          scale * to_float(of.gradient[at + i]), step, chances_of(bits, element + i));
                if constexpr (has_master) of.master[at + i] = master;
            }
        }
    }
}

}  // namespace strata
