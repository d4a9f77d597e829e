// What a block of Engram's short convolution does with the rows of its stream: have them brought, take their norms, and
// push normalised values into the sums of the outputs that they are part of.
#pragma once

#include "kernels/arithmetic.hpp"
#include "kernels/engram/bf16_pairs.hpp"
#include "kernels/engram/engram_conv_task.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/packed_bf16.hpp"

namespace strata {

// 1 / x and v + y / (1 + e^-y) by the GPU's approximate functions, each within two units in the last place of FP32;
// what is too small for a normal number becomes zero.
STRATA_HD float near_reciprocal(float x) {
#ifdef __CUDA_ARCH__
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return 1.0f / x;
#endif
}
STRATA_HD float plus_silu(float v, float y) {
#ifdef __CUDA_ARCH__
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(y * -1.4426950408889634f));
#else
    const float power = exp_of(-y);
#endif
    return fmaf(y, near_reciprocal(1.0f + power), v);
}

STRATA_HD std::uint32_t normalised_pair(std::uint32_t values, float rstd, const Pack<float>& weight, int pair) {
    return bf16_pair(low_of(values) * rstd * weight.at[2 * pair], high_of(values) * rstd * weight.at[2 * pair + 1]);
}

// Some rows of a stream, as much of them as a thread has.
template <int packs_held, int rows>
struct ConvRows {
    Bf16Pairs at[rows][packs_held];
};

// What a block knows of its stream.
template <int packs_held, class Thread>
class ConvStream {
public:
    static constexpr int kRows = conv_rows(packs_held), kStages = conv_stages(packs_held);
    static constexpr int kFactors = conv_factors(packs_held), kPlaces = conv_places(packs_held);

    // `places`: that a thread has in shared memory, an even number.
    STRATA_BODY ConvStream(Thread& thread, const EngramConvTask& of, int places, int stream)
        : t_(thread),
          task_(of),
          stream_(stream),
          packs_mine_(int(ceil_div(of.hidden / 8 - t_.thread(), t_.threads()))) {
        all_gave_ = reinterpret_cast<typename Thread::Barrier*>(t_.shared());
        if (t_.thread() == 0) t_.open_barrier(all_gave_, t_.warps()), t_.publish_barriers();
        t_.sync();
        sums_ = reinterpret_cast<float*>(t_.shared()) + kConvBarrierBytes / sizeof(float);
        // Threads 0 and 4, 1 and 5 ... of eight would have their places in the same banks: the latter four have their
        // odd places where the former have even ones.
        const int swapped = packs_held == 1 ? t_.thread() >> 2 & 1 : 0;
        float* own = sums_ + 2 * t_.warps() * 4 + long(t_.thread()) * places * 4;
        even_ = own + swapped * 4, odd_ = own - swapped * 4;
        // A pack that the row has not is nought, from here on.
        STRATA_ROLLED
        for (int i = kFactors; packs_mine_ < packs_held && i < places; ++i) store_pack(place(i), 0, Pack<float>{});
    }
    // Weight and taps to their places.
    STRATA_BODY void load_factors() {
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) STRATA_UNROLL
        for (int which = 0; which <= kConvBefore + 1; ++which) {
            const Bf16* from = which == 0 ? task_.weight : task_.taps + long(which - 1) * task_.streams * task_.hidden;
            const Bf16Pairs eight = load(from, 0, i);
            STRATA_UNROLL
            for (int half = 0; half < 2; ++half) {
                Pack<float> four;
                STRATA_UNROLL
                for (int e = 0; e < 4; ++e) four.at[e] = element(eight, half * 4 + e);
                store_pack(place(i * 10 + which * 2 + half), 0, four);
            }
        }
    }

    // Row `index` of [index][streams][hidden].
    STRATA_BODY Bf16Pairs load(const Bf16* from, int index, int i) const {
        return i < packs_mine_ ? load_pairs(from, offset(index) + pack_of(i) * 8) : Bf16Pairs{};
    }
    STRATA_BODY void store(Bf16* to, int index, int i, const Bf16Pairs& pairs) const {
        if (i < packs_mine_) store_pairs(to, offset(index) + pack_of(i) * 8, pairs);
    }

    // Where this thread's part of a row is.
    STRATA_BODY long own_part(int row) const { return offset(row) + pack_of(0) * 8; }
    // Asks for a row, `from` being this thread's part of it, that take_row(stage, r) gives once its group of copies has
    // been waited for.
    STRATA_BODY void ask_for_row(const Bf16* from, int stage, int r) {
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i)
            if (i < packs_mine_) copies.copy16(coming(stage, r, i), from + i * t_.threads() * 8);
    }
    STRATA_BODY void take_row(int stage, int r, Bf16Pairs* row) const {
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) row[i] = load_pack(coming(stage, r, i), 0);
    }
    STRATA_BODY void store_row(Bf16* to, const Bf16Pairs* row) const {
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i)
            if (i < packs_mine_) store_pairs(to, i * t_.threads() * 8, row[i]);
    }
    AsyncCopies copies;

    STRATA_BODY static float squares_of(const Bf16Pairs* row) {
        float squares = 0;
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) STRATA_UNROLL
        for (int e = 0; e < 8; ++e) squares = fmaf(element(row[i], e), element(row[i], e), squares);
        return squares;
    }
    // From every thread's squares of up to four rows to 1 / sqrt(mean of squares + eps) of each, in two halves, so that
    // warps do not meet between them: what they do there hides how far they are apart. The sums are there twice, used
    // in turn. The order in which a row is summed is the same for any number of rows.
    template <int rows>
    STRATA_BODY void give_squares(float* squares) {
        // Lanes exchange halves of what is left to be summed, until a lane has one row, and then sums of it.
        STRATA_UNROLL
        for (int step = 16, left = rows; step > 0; step /= 2) {
            const bool upper = (t_.lane() & step) != 0;
            if (left > 1) {
                left /= 2;
                STRATA_UNROLL
                for (int r = 0; r < left; ++r) {
                    const float mine = upper ? squares[r + left] : squares[r];
                    squares[r] = mine + t_.shuffle_xor(upper ? squares[r] : squares[r + left], step);
                }
            } else {
                squares[0] += t_.shuffle_xor(squares[0], step);
            }
        }
        constexpr int kLanes = 32 / rows;  // that have the same row
        float* sums = sums_ + turn_ * t_.warps() * 4;
        if (t_.lane() % kLanes == 0) sums[t_.warp() * 4 + t_.lane() / kLanes] = squares[0];
        t_.sync_warp();
        if (t_.lane() == 0) t_.arrive(all_gave_);
    }
    template <int rows>
    STRATA_BODY void take_rstd(float* rstd) {
        t_.wait(all_gave_, turn_);
        const float* sums = sums_ + turn_ * t_.warps() * 4;
        turn_ ^= 1;
        // Lane: row lane % 4 of every eighth warp.
        float sum = 0;
        STRATA_UNROLL
        for (int at = t_.lane(), more = 0; more < 3; ++more, at += 32)  // of up to 24 warps
            if (at % 4 < rows && at < t_.warps() * 4) sum += sums[at];
        STRATA_UNROLL
        for (int step = 4; step < 32; step *= 2) sum += t_.shuffle_xor(sum, step);
        const float of_row = rsqrt_of(fmaf(sum, near_reciprocal(float(task_.hidden)), task_.eps));
        STRATA_UNROLL
        for (int r = 0; r < rows; ++r) rstd[r] = t_.shuffle(of_row, r);
    }

    // weight, then taps for t - 9, t - 6, t - 3 and t.
    struct Factors {
        Pack<float> weight, taps[kConvBefore + 1];
    };
    STRATA_BODY Factors factors(int i, int half) const {
        Factors all;
        all.weight = load_pack(place(i * 10 + half), 0);
        STRATA_UNROLL
        for (int k = 0; k <= kConvBefore; ++k) all.taps[k] = load_pack(place(i * 10 + (k + 1) * 2 + half), 0);
        return all;
    }

    STRATA_BODY Bf16Pairs normalised(const Bf16Pairs& values, float rstd, int i) const {
        Bf16Pairs out;
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) {
            const Pack<float> weight = load_pack(place(i * 10 + half), 0);
            STRATA_UNROLL
            for (int pair = 0; pair < 2; ++pair)
                out.at[half * 2 + pair] = normalised_pair(values.at[half * 2 + pair], rstd, weight, pair);
        }
        return out;
    }

private:
    STRATA_BODY int pack_of(int i) const { return t_.thread() + i * t_.threads(); }
    STRATA_BODY float* place(int i) const { return (i % 2 ? odd_ : even_) + i * 4; }
    STRATA_BODY std::uint32_t* coming(int stage, int r, int i) const {
        const int at = r * packs_held + i;  // of the stage's places, an even number
        return reinterpret_cast<std::uint32_t*>(place(kFactors + at) + stage * (kRows * packs_held * 4));
    }
    STRATA_BODY long offset(int index) const { return (long(index) * task_.streams + stream_) * task_.hidden; }

    Thread& t_;
    const EngramConvTask& task_;
    int stream_, packs_mine_;
    float *sums_, *even_, *odd_;
    typename Thread::Barrier* all_gave_;
    int turn_ = 0;  // of the sums, and the barrier's parity
};

// Sums of the next three outputs of a class, four elements of each. Terms are added oldest first.
struct ConvSums {
    float next[kConvBefore][4];

    // A normalised row comes; returns the output that is complete with it.
    template <class Factors>
    STRATA_BODY float add(const Factors& factors, int e, float normalised) {
        const float y = fmaf(factors.taps[3].at[e], normalised, next[0][e]);
        next[0][e] = fmaf(factors.taps[2].at[e], normalised, next[1][e]);
        next[1][e] = fmaf(factors.taps[1].at[e], normalised, next[2][e]);
        next[2][e] = factors.taps[0].at[e] * normalised;
        return y;
    }
};

// Four elements of a row: outputs in the place of `values`.
template <class Factors>
STRATA_BODY void convolve(ConvSums& sums, const Factors& factors, float rstd, std::uint32_t* values) {
    STRATA_UNROLL
    for (int pair = 0; pair < 2; ++pair) {
        const std::uint32_t normalised = normalised_pair(values[pair], rstd, factors.weight, pair);
        const float y_low = sums.add(factors, 2 * pair, low_of(normalised));
        const float y_high = sums.add(factors, 2 * pair + 1, high_of(normalised));
        values[pair] = bf16_pair(plus_silu(low_of(values[pair]), y_low), plus_silu(high_of(values[pair]), y_high));
    }
}

// Four elements of a row that is normalised already, one before all that is put out.
template <class Factors>
STRATA_BODY void recall(ConvSums& sums, const Factors& factors, const std::uint32_t* normalised) {
    STRATA_UNROLL
    for (int e = 0; e < 4; ++e) sums.add(factors, e, e % 2 ? high_of(normalised[e / 2]) : low_of(normalised[e / 2]));
}

}  // namespace strata
