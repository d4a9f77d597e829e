// The products of streams with fn on tensor cores, for one block of a cluster: its part of fn, and a warp's share of
// it.
//
// fn (2.75 MB at a hidden size of 7168) would be read from L2 at several times the rate of the streams if each tile of
// tokens brought it again; so it stays in the registers of the cluster for the life of the kernel. It does as two BF16
// numbers each, which keep 16 bits and more of the FP32 ones: streams are BF16, so products are exact, and the mixes
// differ from those of FP32 weights by a calc_diff of 4e-12 (of one BF16 number each, by 1.4e-6; 1e-8 is asked for).
// The tensor cores' 48 rows are the 24 outputs' upper parts and their lower parts; their eight columns are tokens.
//
// A warp has the same elements of all four streams, so that it can do `post` of the site before on its own. In each
// step lane l, with g = l / 4 and c = l % 4, takes two elements of token g, of the streams 2 (c % 2) and
// 2 (c % 2) + 1. Two steps take an eighth of a box's row: the lower two lanes of a quad its first half. A last step
// alone takes half of that.
#pragma once

#include "kernels/mhc/mhc_pre_task.hpp"
#include "kernels/simt/mma.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

// Holds a number in its register: nvcc would work addresses out anew in every turn.
template <class Plan>
STRATA_BODY int kept(int number) {
#ifdef __CUDACC__
    if constexpr (Plan::kKeepsPlaces) asm volatile("" : "+r"(number));
#endif
    return number;
}

// A place in shared memory, so many bytes on.
template <class T>
STRATA_BODY T* at_byte(const Bf16* tile, int byte) {
    return reinterpret_cast<T*>(reinterpret_cast<unsigned char*>(const_cast<Bf16*>(tile)) + byte);
}

template <class Plan, class Thread>
class MhcProducts {
public:
    // `rest`: Plan::kFnBytes of shared memory.
    STRATA_BODY MhcProducts(Thread& t, unsigned char* rest)
        : t_(t),
          rest_(reinterpret_cast<MmaA*>(rest)),
          even_(kept<Plan>(place_in(0) * 2)),
          alone_(kept<Plan>(place_in(Plan::kSteps - 1) * 2)) {}

    // This lane's part of fn for outputs 8 band on, from the block's part of it as it comes: boxes of 32 columns,
    // swizzled, [8 outputs][4 streams][32]. Of the 48 rows, those from 8 band on are the upper parts of these, those
    // from 24 + 8 band on the lower parts; a lane has row g of each.
    STRATA_BODY void load(const float* staged, int band) {
        STRATA_UNROLL
        for (int step = 0; step < Plan::kSteps; step += 2) {
            STRATA_UNROLL
            for (int n = 0; n < 2; ++n) {
                const int column = eight_of(step) * 8 + (alone(step) ? t_.warp() % 2 : half()) * 4,
                          row = t_.lane() / 4 * kMhcStreams + first_stream() + n;
                const Pack<float> four =
                    load_pack(staged, column / 32 * Plan::kFnBox + row * 32 + (column / 4 % 8 ^ row % 8) * 4);
                // A step alone has the half of these that lies under the lane's half of a row, of two steps the first.
                const bool other = alone(step) ? half() != 0 : t_.lane() % 2 != 0;
                take(step, band, n, other ? four.at[2] : four.at[0], other ? four.at[3] : four.at[1]);
                if (!alone(step))
                    take(step + 1, band, n, other ? four.at[0] : four.at[2], other ? four.at[1] : four.at[3]);
            }
        }
    }

    // This warp's products of a tile, to partials once before_writing() returns: [6][8 tokens][4] of the 24 mixes, then
    // the sum of squares of each token. The streams are in shared memory; after `post`, they are made there from the
    // old ones, layer_out and the gates of the site before.
    template <class BeforeWriting>
    STRATA_BODY void multiply(Bf16* tile, const float* last, float* partials, const BeforeWriting& before_writing) {
        const int g = t_.lane() / 4, c = t_.lane() % 4;
        Shares shares;
        if constexpr (Plan::kSpreads) {
            shares.out = two_of(last + g * 4 + first_stream());
            STRATA_UNROLL
            for (int m = 0; m < kMhcStreams; ++m)
                shares.streams[m] = two_of(last + Plan::kLastComb + g * 16 + m * 4 + first_stream());
        }
        MmaSum sums[3] = {};
        float squares = 0;
        // Two steps at once: lanes exchange their places.
        STRATA_UNROLL
        for (int first = 0; first < Plan::kSteps; first += 2) {
            constexpr int kPair = 2;
            MmaB taken[kPair];
            STRATA_UNROLL
            for (int i = 0; i < kPair && first + i < Plan::kSteps; ++i)
                if constexpr (Plan::kSpreads)
                    taken[i] = spread(tile, place_of(first + i), shares);
                else
                    taken[i] = {{*stream_at(tile, first + i, 0), *stream_at(tile, first + i, 1)}};
            if constexpr (Plan::kSpreads) {
                t_.sync_warp();  // all have read the old streams
                STRATA_UNROLL
                for (int i = 0; i < kPair && first + i < Plan::kSteps; ++i) {
                    STRATA_UNROLL
                    for (int n = 0; n < 2; ++n) *stream_at(tile, first + i, n) = taken[i].at[n];
                }
            }
            STRATA_UNROLL
            for (int i = 0; i < kPair && first + i < Plan::kSteps; ++i) {
                STRATA_UNROLL
                for (int part = 0; part < 3; ++part)
                    mma_bf16_m16n8k16(t_, sums[part], part_of(first + i, part), taken[i]);
                STRATA_UNROLL
                for (int n = 0; n < 2; ++n) {
                    const float low = low_of(taken[i].at[n]), high = high_of(taken[i].at[n]);
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

    // Where in a tile the four elements are that the warp takes in half of two steps, or in a last one, for a token, in
    // the box's first stream.
    STRATA_BODY int place_of_four(int step, int token) const {
        return place_of_eight(eight_of(step), token) + (alone(step) ? t_.warp() : step) % 2 * 4;
    }

private:
    struct alignas(8) Two {
        float at[2];
    };
    // Of one value's two new streams.
    struct Shares {
        Two streams[kMhcStreams], out;
    };
    STRATA_BODY static Two two_of(const float* p) { return *reinterpret_cast<const Two*>(p); }

    STRATA_BODY void take(int step, int band, int n, float low, float high) {
        const std::uint32_t upper = bf16_pair(low, high);
        part_of(step, band / 2).at[band % 2 + 2 * n] = upper;
        part_of(step, (band + 3) / 2).at[(band + 3) % 2 + 2 * n] =
            bf16_pair(low - low_of(upper), high - high_of(upper));
    }

    STRATA_BODY static constexpr bool alone(int step) { return step + 1 == Plan::kSteps && step % 2 == 0; }
    STRATA_BODY int half() const { return t_.lane() % 4 / 2; }
    STRATA_BODY int first_stream() const { return t_.lane() % 2 * 2; }
    STRATA_BODY int own_stream() const { return first_stream() * Plan::kStreamRows; }

    // Which eight elements of the slice two warps have in a step: of the boxes of two steps each has one, and of a last
    // box half. Where a box is all, its quarters are as boxes.
    STRATA_BODY int eight_of(int step) const {
        constexpr int kWide = Plan::kWarps / 2;  // eights of what is as a box
        const int warp = t_.warp();
        return (alone(step) ? step : step / 2 * 2 + warp % 2) * kWide + warp / 2;
    }
    STRATA_BODY static int place_of_eight(int eight, int token) {
        return eight / 8 * Plan::kBox + token * Plan::kRow + (eight % 8 ^ token) * 8;
    }
    // Of the lane's two elements in a step, in the first stream it reads. In the first of two steps the lanes of every
    // other pair of streams take what the others take in the second: so all loads of a warp fall in different banks.
    // The tensor core would have a lane take two pairs of one row; any order of products serves, if both operands have
    // the same.
    STRATA_BODY int place_in(int step) const {
        const int within = alone(step) ? t_.warp() % 2 * 4 + half() * 2 : half() * 4 + (step ^ t_.lane()) % 2 * 2;
        return place_of_eight(eight_of(step), t_.lane() / 4) + within + (Plan::kSpreads ? 0 : own_stream());
    }
    // The same in bytes, from a few numbers, for a step known when this is compiled.
    STRATA_BODY int place_of(int step) const {
        if (Plan::kWarps < 16) return place_in(step) * 2;
        if (alone(step)) return alone_;
        return (step % 2 ? even_ ^ 4 : even_) + step / 2 * 2 * Plan::kBox * 2;
    }
    STRATA_BODY std::uint32_t* stream_at(Bf16* tile, int step, int n) const {
        const int own = Plan::kSpreads ? own_stream() * 2 : 0;
        return at_byte<std::uint32_t>(tile, place_of(step) + own + n * Plan::kStreamRows * 2);
    }

    // Two elements of this lane's two new streams, summed in Spread's order.
    STRATA_BODY MmaB spread(const Bf16* tile, int place, const Shares& shares) const {
        const auto words_of = [&](int m) { return *at_byte<std::uint32_t>(tile, place + m * Plan::kStreamRows * 2); };
        const std::uint32_t out = words_of(kMhcStreams);
        float low[2], high[2];
        STRATA_UNROLL
        for (int n = 0; n < 2; ++n) low[n] = low_of(out) * shares.out.at[n], high[n] = high_of(out) * shares.out.at[n];
        STRATA_UNROLL
        for (int m = 0; m < kMhcStreams; ++m) {
            const std::uint32_t stream = words_of(m);
            STRATA_UNROLL
            for (int n = 0; n < 2; ++n) {
                low[n] = fma_of(shares.streams[m].at[n], low_of(stream), low[n]);
                high[n] = fma_of(shares.streams[m].at[n], high_of(stream), high[n]);
            }
        }
        return {{bf16_pair(low[0], high[0]), bf16_pair(low[1], high[1])}};
    }

    // Sixteen of the 48 rows for a step. `step` is known when this is compiled.
    STRATA_BODY MmaA& part_of(int step, int part) {
        return step < Plan::kStepsInRegisters
                   ? fn_[step][part]
                   : rest_[((step - Plan::kStepsInRegisters) * 3 + part) * 32 * Plan::kWarps + t_.thread()];
    }

    Thread& t_;
    MmaA* const rest_;        // [steps beyond those in registers][3][threads that multiply]
    const int even_, alone_;  // places in steps, in bytes
    MmaA fn_[Plan::kStepsInRegisters][3];
};

}  // namespace strata
