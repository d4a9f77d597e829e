// The products of streams with fn on tensor cores, for one block of a cluster: its part of fn, and a warp's share of
// it.
//
// fn (2.75 MB at a hidden size of 7168) would be read from L2 at several times the rate of the streams if each tile of
// tokens brought it again; so it stays in the registers of the cluster for the life of the kernel. It does as two BF16
// numbers each, which keep 16 bits and more of the FP32 ones: streams are BF16, so products are exact, and the mixes
// differ from those of FP32 weights by a calc_diff of 4e-12 (of one BF16 number each, by 1.4e-6; 1e-8 is asked for).
// The tensor cores' 48 rows are the 24 outputs' upper parts and their lower parts; their eight columns are tokens.
//
// A warp has kSpan neighbouring elements of all four streams, so that it can do `post` of the site before on its own:
// lane l, with g = l / 4 and c = l % 4, takes four elements of stream c of token g in each step.
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

    // This lane's part of fn, from the block's rows [24][4][kFnRow] in shared memory, for outputs 8 band on. Of the 48
    // rows, those from 8 band on are the upper parts of these, those from 24 + 8 band on the lower parts; a lane has
    // row g of each.
    STRATA_BODY void load(const float* staged, int band) {
        const int row = (band * 8 + t_.lane() / 4) * 4 + t_.lane() % 4;
        STRATA_UNROLL
        for (int step = 0; step < Plan::kSteps; ++step) {
            const Pack<float> w = load_pack(staged, row * Plan::kFnRow + element_of(step));
            STRATA_UNROLL
            for (int pair = 0; pair < 2; ++pair) {
                const float low = w.at[2 * pair], high = w.at[2 * pair + 1];
                const std::uint32_t upper = bf16_pair(low, high);
                part_of(step, band / 2).at[band % 2 + 2 * pair] = upper;
                part_of(step, (band + 3) / 2).at[(band + 3) % 2 + 2 * pair] =
                    bf16_pair(low - low_of(upper), high - high_of(upper));
            }
        }
    }

    // This warp's products of a tile, to partials once before_writing() returns: [6][8 tokens][4] of the 24 mixes, then
    // the sum of squares of each token. The streams are in shared memory; after `post`, they are made there from the
    // old ones, layer_out and the gates of the site before.
    template <class BeforeWriting>
    STRATA_BODY void multiply(Bf16* streams, const Bf16* layer_out, const float* last, float* partials,
                              const BeforeWriting& before_writing) {
        const int g = t_.lane() / 4, c = t_.lane() % 4;
        float shares[5];
        if constexpr (Plan::kSpreads) {
            shares[4] = last[g * 4 + c];
            STRATA_UNROLL
            for (int m = 0; m < kMhcStreams; ++m) shares[m] = last[Plan::kLastComb + g * 16 + m * 4 + c];
        }
        MmaSum sums[3] = {};
        float squares = 0;
        // Two steps at once: they exchange their places between the streams.
        STRATA_UNROLL
        for (int first = 0; first < Plan::kSteps; first += 2) {
            constexpr int kPair = 2;
            MmaB taken[kPair];
            STRATA_UNROLL
            for (int i = 0; i < kPair && first + i < Plan::kSteps; ++i)
                if constexpr (Plan::kSpreads)
                    taken[i] = spread(streams + g * Plan::kRow, layer_out + g * Plan::kOutRow, shares, first + i);
                else
                    taken[i] = *place_of(streams, first + i);
            if constexpr (Plan::kSpreads) {
                t_.sync_warp();  // all have read the old streams
                STRATA_UNROLL
                for (int i = 0; i < kPair && first + i < Plan::kSteps; ++i) *place_of(streams, first + i) = taken[i];
            }
            STRATA_UNROLL
            for (int i = 0; i < kPair && first + i < Plan::kSteps; ++i) {
                STRATA_UNROLL
                for (int part = 0; part < 3; ++part)
                    mma_bf16_m16n8k16(t_, sums[part], part_of(first + i, part), taken[i]);
                STRATA_UNROLL
                for (int pair = 0; pair < 2; ++pair) {
                    const float low = low_of(taken[i].at[pair]), high = high_of(taken[i].at[pair]);
                    squares = fma_of(high, high, fma_of(low, low, squares));
                }
            }
        }
        squares = warp_sum<4>(t_, squares);
        before_writing();
        // Half of the lanes write the other of their two tokens first: into different banks.
        const int half = g / 4;
        float* mine = partials + half * 32 + c * 8 + g % 4;
        STRATA_UNROLL
        for (int band = 0; band < 3; ++band) {
            const float* upper = sums[band / 2].at + band % 2 * 2;
            const float* lower = sums[(band + 3) / 2].at + (band + 3) % 2 * 2;
            const float even = upper[0] + lower[0], odd = upper[1] + lower[1];
            mine[band * 64 + half * 4] = half ? odd : even;
            mine[band * 64 + 4 - half * 4] = half ? even : odd;
        }
        if (c == 0) partials[kMhcMixes * 8 + g] = squares;
    }

private:
    // Where in the slice the four elements are that this lane takes in a step. Neighbouring steps exchange theirs for
    // every other stream: so the loads of half a warp fall in different banks. The tensor core would have a lane take
    // two pairs; any order of products serves, if both operands have the same.
    STRATA_BODY int element_of(int step) const {
        const int other = step ^ 1, odd = t_.lane() % 2;
        return t_.warp() * Plan::kSpan + 4 * (other < Plan::kSteps ? step + odd * (other - step) : step);
    }
    STRATA_BODY MmaB* place_of(Bf16* streams, int step) const {
        return reinterpret_cast<MmaB*>(streams + t_.lane() / 4 * Plan::kRow + t_.lane() % 4 * Plan::kStreamRow +
                                       element_of(step));
    }

    // Four elements of this lane's new stream, summed in Spread's order.
    STRATA_BODY MmaB spread(const Bf16* old, const Bf16* layer_out, const float (&shares)[5], int step) const {
        const int at = element_of(step);
        const auto out = load_elements<2>(layer_out, at);
        float sums[4];
        STRATA_UNROLL
        for (int word = 0; word < 2; ++word) {
            sums[2 * word] = low_of(out.at[word]) * shares[4];
            sums[2 * word + 1] = high_of(out.at[word]) * shares[4];
        }
        STRATA_UNROLL
        for (int m = 0; m < kMhcStreams; ++m) {
            const auto stream = load_elements<2>(old, m * Plan::kStreamRow + at);
            STRATA_UNROLL
            for (int word = 0; word < 2; ++word) {
                sums[2 * word] = fma_of(shares[m], low_of(stream.at[word]), sums[2 * word]);
                sums[2 * word + 1] = fma_of(shares[m], high_of(stream.at[word]), sums[2 * word + 1]);
            }
        }
        return {{bf16_pair(sums[0], sums[1]), bf16_pair(sums[2], sums[3])}};
    }

    // Sixteen of the 48 rows for a step. `step` is known when this is compiled.
    STRATA_BODY MmaA& part_of(int step, int part) {
        return step < Plan::kStepsInRegisters
                   ? fn_[step][part]
                   : rest_[((step - Plan::kStepsInRegisters) * 3 + part) * 32 * Plan::kWarps + t_.thread()];
    }

    Thread& t_;
    MmaA* const rest_;  // [steps beyond those in registers][3][threads that multiply]
    MmaA fn_[Plan::kStepsInRegisters][3];
};

}  // namespace strata
