// The softmax of latent attention as it goes, tile after tile, by the warpgroup that has the scores: a thread has two
// rows of the 64, and of each the two columns of eight that the tensor cores give it. Logarithms are of base 2 inside.
#pragma once

#include "kernels/arithmetic.hpp"
#include "kernels/simt/packed_bf16.hpp"
#include "kernels/simt/swizzle.hpp"
#include "kernels/simt/warp.hpp"
#include "kernels/simt/wgmma.hpp"

namespace strata {

STRATA_HD float exp2_of(float x) {
#ifdef __CUDA_ARCH__
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return std::exp2(x);
#endif
}

STRATA_HD float log2_of(float x) {
#ifdef __CUDA_ARCH__
    return __log2f(x);
#else
    return std::log2(x);
#endif
}

inline constexpr float kLog2E = 1.44269504088896341f, kLn2 = 0.693147180559945309f;

// What a sink leaves of a row's output: exp(lse) / (exp(lse) + exp(sink)).
STRATA_HD float sink_leaves(float lse, float sink) { return 1 / (1 + exp2_of((sink - lse) * kLog2E)); }

class LatentSoftmax {
public:
    using Scores = WgmmaSum<64>;

    // A row's column counts where it is below the row's `visible` and `present`. Mostly all do: each lane looks at two
    // keys.
    template <class Thread>
    STRATA_BODY static bool all_count(Thread& t, const int (&visible)[2], const std::uint8_t* present) {
        const bool lacks_some =
            !present[t.lane() * 2] || !present[t.lane() * 2 + 1] || visible[0] < kWidth || visible[1] < kWidth;
        return !t.ballot(lacks_some);
    }
    template <class Thread>
    STRATA_BODY static void mask(Thread& t, Scores& scores, const int (&visible)[2], const std::uint8_t* present) {
        const int thread = t.thread() % kWarpgroup;
        STRATA_UNROLL
        for (int i = 0; i < Scores::kRegisters; ++i) {
            const int column = wgmma_column(thread, i);
            if (column >= visible[i % 4 / 2] || !present[column]) scores.at[i] = -HUGE_VALF;
        }
    }

    // Scores q . k of base 2 become weights, in place. Returns what earlier sums of the two rows are to be multiplied
    // by.
    template <class Thread>
    STRATA_BODY void take(Thread& t, Scores& scores, float (&factors)[2]) {
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) {
            float most[4];  // not one after the other
            STRATA_UNROLL
            for (int i = 0; i < 16; ++i)
                most[i % 4] =
                    i < 4 ? scores.at[register_of(half, i)] : fmaxf(most[i % 4], scores.at[register_of(half, i)]);
            const float of_tile = warp_max<4>(t, fmaxf(fmaxf(most[0], most[1]), fmaxf(most[2], most[3])));
            const float largest = fmaxf(largest_[half], of_tile);
            // A row that has seen no key yet keeps weights of zero: -inf - 0.
            const float from = largest == -HUGE_VALF ? 0.0f : largest;
            factors[half] = exp2_of(largest_[half] - from);
            largest_[half] = largest;
            float sums[2] = {0, 0};
            STRATA_UNROLL
            for (int i = 0; i < 16; ++i) {
                float& score = scores.at[register_of(half, i)];
                score = exp2_of(score - from);
                sums[i % 2] += score;
            }
            sum_[half] = sum_[half] * factors[half] + (sums[0] + sums[1]);
        }
    }

    // The weights, rounded, as the operand in registers of the product with the values: 16 keys each.
    STRATA_BODY static void pack(const Scores& weights, WgmmaA (&packed)[4]) {
        STRATA_UNROLL
        for (int i = 0; i < 16; ++i) packed[i / 4].at[i % 4] = bf16_pair(weights.at[i * 2], weights.at[i * 2 + 1]);
    }
    // And as the K-major operand [64 rows][64 keys] in shared memory.
    template <class Thread>
    STRATA_BODY static void store(Thread& t, const WgmmaA (&weights)[4], unsigned char* panel) {
        const int thread = t.thread() % kWarpgroup;
        // Registers are two by two eight rows and sixteen bytes apart: as few addresses as that need few registers.
        const int at = swizzled_offset(wgmma_a_row(thread, 0), wgmma_a_byte(thread, 0));
        STRATA_UNROLL
        for (int i = 0; i < 16; ++i)
            *reinterpret_cast<std::uint32_t*>(panel + (at ^ (i / 4 * 32 + i % 4 / 2 * 16)) + i % 2 * 8 * 128) =
                weights[i / 4].at[i % 4];
    }

    struct Row {
        float largest;  // of the scores, base 2; -inf where there was no key
        float sum;      // of the weights
        STRATA_BODY bool lonely() const { return largest == -HUGE_VALF; }
        STRATA_BODY float lse() const { return (largest + log2_of(sum)) * kLn2; }  // natural
    };
    // Of one of this thread's two rows; all four lanes of the row call.
    template <class Thread>
    STRATA_BODY Row row(Thread& t, int half) const {
        return {largest_[half], warp_sum<4>(t, sum_[half])};
    }

private:
    STRATA_BODY static constexpr int register_of(int half, int i) { return i / 2 * 4 + half * 2 + i % 2; }

    static constexpr int kWidth = Scores::kRegisters * 2;  // keys of a tile
    float largest_[2] = {-HUGE_VALF, -HUGE_VALF};
    float sum_[2] = {0, 0};  // of this thread's columns
};

}  // namespace strata
