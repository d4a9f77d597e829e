// The products of streams with fn on tensor cores, for one block of a cluster: its part of fn, and a warp's share of
// it.
//
// fn (2.75 MB at a hidden size of 7168) would be read from L2 at several times the rate of the streams if each tile of
// tokens brought it again; so it stays in the registers of the cluster for the life of the kernel. It does as two BF16
// numbers each, which keep 16 bits and more of the FP32 ones: streams are BF16, so products are exact, and the mixes
// differ from those of FP32 weights by a calc_diff of 4e-12 (of one BF16 number each, by 1.4e-6; 1e-8 is asked for).
// The tensor cores' 48 rows are the 24 outputs' upper parts and their lower parts; their eight columns are tokens.
#pragma once

#include "kernels/mhc/mhc_pre_task.hpp"
#include "kernels/simt/mma.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

template <class Plan, class Thread>
class MhcProducts {
public:
    // `rest`: Plan::kFnBytes of shared memory.
    STRATA_BODY MhcProducts(Thread& t, unsigned char* rest) : t_(t), rest_(reinterpret_cast<MmaA*>(rest)) {}

    // This lane's part of fn for a step. Of the 48 rows, band b of eight is the upper part of outputs 8b to 8b + 7 for
    // b < 3, the lower part of outputs 8(b - 3) on for the rest; a lane has row lane / 4 of each.
    STRATA_BODY void load(const float* fn_rows, int rank) {
        STRATA_UNROLL
        for (int step = 0; step < Plan::kSteps; ++step) {
            MmaA fn[3];
            STRATA_UNROLL
            for (int band = 0; band < 3; ++band) {
                const int at = products_of(step), row = band * 8 + t_.lane() / 4;
                const Pack<float> w = load_pack(fn_rows, long(row * 4 + at / Plan::kSlice) * Plan::kHidden +
                                                             rank * Plan::kSlice + at % Plan::kSlice);
                STRATA_UNROLL
                for (int pair = 0; pair < 2; ++pair) {
                    const float low = w.at[2 * pair], high = w.at[2 * pair + 1];
                    const std::uint32_t upper = bf16_pair(low, high);
                    fn[band / 2].at[band % 2 + 2 * pair] = upper;
                    fn[(band + 3) / 2].at[(band + 3) % 2 + 2 * pair] =
                        bf16_pair(low - low_of(upper), high - high_of(upper));
                }
            }
            STRATA_UNROLL
            for (int i = 0; i < 3; ++i)
                if (step < Plan::kStepsInRegisters)
                    fn_[step][i] = fn[i];
                else
                    rest_of(step, i) = fn[i];
        }
    }
    // This warp's products of a tile's rows in shared memory: 24 sums and the sum of squares for each token, to
    // partials as [warp][group][sum][token].
    STRATA_BODY void multiply(const Bf16* rows, float* partials) {
        const int g = t_.lane() / 4, c = t_.lane() % 4;
        STRATA_ROLLED
        for (int group = 0; group < Plan::kGroups; ++group) {
            const Bf16* row = rows + (group * 8 + g) * Plan::kRow;
            MmaSum sums[3] = {};
            float squares = 0;
            STRATA_UNROLL
            for (int step = 0; step < Plan::kSteps; ++step) {
                const MmaB streams = *reinterpret_cast<const MmaB*>(row + products_of(step));
                STRATA_UNROLL
                for (int i = 0; i < 3; ++i)
                    mma_bf16_m16n8k16(t_, sums[i], step < Plan::kStepsInRegisters ? fn_[step][i] : rest_of(step, i),
                                      streams);
                STRATA_UNROLL
                for (int pair = 0; pair < 2; ++pair) {
                    const float low = low_of(streams.at[pair]), high = high_of(streams.at[pair]);
                    squares = fma_of(high, high, fma_of(low, low, squares));
                }
            }
            squares = warp_sum<4>(t_, squares);
            float* partial = partials + (t_.warp() * Plan::kGroups + group) * 8 * kMhcSums;
            STRATA_UNROLL
            for (int band = 0; band < 3; ++band) {
                const float* upper = sums[band / 2].at + band % 2 * 2;
                const float* lower = sums[(band + 3) / 2].at + (band + 3) % 2 * 2;
                partial[(band * 8 + g) * 8 + 2 * c] = upper[0] + lower[0];
                partial[(band * 8 + g) * 8 + 2 * c + 1] = upper[1] + lower[1];
            }
            if (c == 0) partial[kMhcMixes * 8 + g] = squares;
        }
    }

private:
    // Where, in the slice's row [4][kSlice], the four neighbours are that this lane takes of a step's sixteen. The
    // tensor core would have it take two pairs; any order of products serves, if both operands have the same.
    STRATA_BODY int products_of(int step) const { return (t_.warp() * Plan::kSteps + step) * 16 + t_.lane() % 4 * 4; }

    STRATA_BODY MmaA& rest_of(int step, int i) const {
        return rest_[((step - Plan::kStepsInRegisters) * 3 + i) * Plan::kThreads + t_.thread()];
    }

    Thread& t_;
    MmaA* const rest_;  // [steps beyond those in registers][3][threads]
    MmaA fn_[Plan::kStepsInRegisters][3];
};

}  // namespace strata
