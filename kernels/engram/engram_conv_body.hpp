// Engram's short convolution. Taps are three tokens apart, so the positions of a sequence fall into three classes
// (position mod 3) that never meet: a block walks one class of one stream, every third token, four rows at a time. A
// normalised value is added to the four outputs it is a part of where it is made: what goes from row to row is the sums
// of the next three outputs in FP32, not earlier rows to be unpacked again. Thus a value is read once and normalised
// once, and weights are read from shared memory and a barrier passed once for four rows. Long sequences are cut into
// spans; a span begins with the four rows before it.
//
// The state of a sequence is nine normalised rows a stream, that of position p in slot p mod 9; a class owns three
// slots. A launch reads one state and writes another, because a long sequence's first span reads while its last one
// writes; decode, a token a sequence, may have both in one: there blocks stay with a stream and take sequence after
// sequence, the next one's four rows on the way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/arithmetic.hpp"
#include "kernels/engram/bf16_pairs.hpp"
#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"

namespace strata {

inline constexpr int kConvApart = 3;   // dilation: the largest n-gram of the paper's models
inline constexpr int kConvBefore = 3;  // taps beside the token's own
inline constexpr int kConvSlots = 9;   // kConvApart * kConvBefore
inline constexpr int kConvWarm = 4;    // rows of a class before a span: kConvBefore, up to whole steps
inline constexpr int kConvSms = 132;   // of an H200

// Tokens of several sequences one after the other: sequence s has those from starts[s] up to starts[s + 1], the first
// of them at position first_position[s] of its whole.
struct EngramConvTask {
    const Bf16* values = nullptr;                  // [tokens][streams][hidden]
    const Bf16* weight = nullptr;                  // [streams][hidden], of the norm
    const Bf16* taps = nullptr;                    // [4][streams][hidden], the last one for the token itself
    const std::int32_t* starts = nullptr;          // [sequences + 1]
    const std::int32_t* first_position = nullptr;  // [sequences]
    const Bf16* state = nullptr;                   // [sequences][9][streams][hidden]
    Bf16* next_state = nullptr;                    // the same; may be `state` where most_tokens is 1
    Bf16* out = nullptr;                           // [tokens][streams][hidden]; not `values`
    int* error = nullptr;  // becomes 1 where starts or a position make no sense; nothing is done there
    long tokens = 0;
    long most_tokens = 0;  // of a sequence
    int sequences = 0;
    int hidden = 0;  // a multiple of 8, at most 7680
    int streams = 4;
    float eps = 1e-20f;
};

inline void require_valid(const EngramConvTask& task) {
    if (task.tokens < 0 || task.most_tokens < 0 || task.sequences < 0 || task.sequences > 65535 || task.hidden < 8 ||
        task.hidden % 8 != 0 || task.hidden > 7680 || task.streams < 1 || task.streams > 64)
        throw std::invalid_argument("engram_conv: " + std::to_string(task.tokens) + " tokens in " +
                                    std::to_string(task.sequences) + " sequences of " + std::to_string(task.streams) +
                                    " x " + std::to_string(task.hidden) +
                                    "; expected up to 65535 sequences, 1 to 64 streams and a hidden size that is a "
                                    "multiple of 8 up to 7680");
    if (task.tokens == 0 || task.sequences == 0) return;
    if (!task.values || !task.weight || !task.taps || !task.starts || !task.first_position || !task.state ||
        !task.next_state || !task.out || !task.error)
        throw std::invalid_argument("engram_conv: a buffer is missing (all are needed)");
    if (task.out == task.values || (task.next_state == task.state && task.most_tokens > 1))
        throw std::invalid_argument("engram_conv: out must not be values, nor next_state state beyond one token each");
    for (const void* buffer : {static_cast<const void*>(task.values), static_cast<const void*>(task.weight),
                               static_cast<const void*>(task.taps), static_cast<const void*>(task.state),
                               static_cast<const void*>(task.next_state), static_cast<const void*>(task.out)})
        if (reinterpret_cast<std::uintptr_t>(buffer) % 16 != 0)
            throw std::invalid_argument("engram_conv: buffers must be aligned to 16 bytes");
}

// Packs of 8 elements a thread has; the kernels are made for 1 and 4.
inline int conv_packs(int hidden) { return hidden <= 5120 ? 1 : 4; }
// Rows of a class that are worked on together: what registers hold.
constexpr int conv_rows(int packs) { return packs == 1 ? 4 : 1; }
// Steps whose rows are in shared memory, one of them worked on: what it holds at the largest hidden sizes.
constexpr int conv_stages(int) { return 3; }

inline int conv_threads(int hidden) { return int(ceil_div(hidden, conv_packs(hidden) * 8 * 32)) * 32; }

inline bool is_decode(const EngramConvTask& task) { return task.most_tokens == 1 && task.next_state == task.state; }

// Blocks that an H200 has at once: registers and shared memory are one's or, of at most 320 threads, two's.
inline long conv_blocks_at_once(int hidden) {
    return conv_packs(hidden) == 1 && conv_threads(hidden) <= 320 ? 2 * kConvSms : kConvSms;
}

// Into how many spans a class is cut: such that the blocks fill the GPU a whole number of times, and few, for each
// costs about ten rows more (those before it, weights to shared memory, the first wait). Spans have at least 32 rows.
inline long conv_spans(long most_tokens, long classes, long at_once) {
    const long rows = std::max(ceil_div(most_tokens, kConvApart), 1L), most = std::max(rows / 32, 1L);
    const auto cost = [&](long spans) { return ceil_div(spans * classes, at_once) * (ceil_div(rows, spans) + 10); };
    long best = 1;
    for (long turns = 1; turns <= 16; ++turns) {
        const long spans = std::clamp(turns * at_once / classes, 1L, most);
        if (cost(spans) < cost(best)) best = spans;
    }
    return best;
}

// A thread's own places of 16 bytes in shared memory, which no other looks at: weight and taps in FP32 [packs][5][2
// halves], then rows on the way [stages][rows][packs].
constexpr int conv_factors(int packs) { return packs * 10; }
constexpr int conv_places(int packs) { return conv_factors(packs) + conv_stages(packs) * conv_rows(packs) * packs; }

// Block: (span, class, stream) of row: a sequence; in decode every streams-th block has the same stream. Shared memory:
// sums of warps [2][warps][4], then each thread's places.
inline Grid grid_of(const EngramConvTask& task) {
    const int threads = conv_threads(task.hidden), packs = conv_packs(task.hidden);
    const std::size_t places = std::size_t(threads) * 16, sums = std::size_t(threads) / 32 * 2 * 4 * sizeof(float);
    if (is_decode(task)) {
        const long a_stream = std::max(1L, conv_blocks_at_once(task.hidden) / task.streams);
        return {.blocks = int(std::min<long>(task.sequences, a_stream)) * task.streams,
                .threads = threads,
                .shared_bytes = sums + places * conv_factors(packs)};
    }
    const long classes = long(task.sequences) * task.streams * kConvApart;
    return {.blocks = int(conv_spans(task.most_tokens, classes, conv_blocks_at_once(task.hidden)) * kConvApart *
                          task.streams),
            .rows = task.sequences,
            .threads = threads,
            .shared_bytes = sums + places * conv_places(packs)};
}

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

    // `places`: that a thread has in shared memory, an even number. Weight and taps come to theirs.
    STRATA_BODY ConvStream(Thread& thread, const EngramConvTask& of, int places)
        : t_(thread),
          task_(of),
          stream_(t_.block() % of.streams),
          packs_mine_(int(ceil_div(of.hidden / 8 - t_.thread(), t_.threads()))) {
        sums_ = reinterpret_cast<float*>(t_.shared());
        // Threads 0 and 4, 1 and 5 ... of eight would have their places in the same banks: the latter four have their
        // odd places where the former have even ones.
        const int swapped = packs_held == 1 ? t_.thread() >> 2 & 1 : 0;
        float* own = sums_ + 2 * t_.warps() * 4 + long(t_.thread()) * places * 4;
        even_ = own + swapped * 4, odd_ = own - swapped * 4;
        // A pack that the row has not is nought, from here on.
        STRATA_ROLLED
        for (int i = kFactors; packs_mine_ < packs_held && i < places; ++i) store_pack(place(i), 0, Pack<float>{});
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
    // From this thread's squares of up to four rows to 1 / sqrt(mean of squares + eps) of each. One barrier; the sums
    // are there twice, used in turn. The order in which a row is summed is the same for any number of rows.
    template <int rows>
    STRATA_BODY void take_rstd(float* squares, float* rstd) {
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
        turn_ ^= 1;
        if (t_.lane() % kLanes == 0) sums[t_.warp() * 4 + t_.lane() / kLanes] = squares[0];
        t_.sync();
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
    int turn_ = 0;
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

// A class of a sequence: the tokens start + 3 i for i < count, and where it stands in the state.
struct ConvClass {
    int start, count, first_slot, place;
    STRATA_BODY int token(int i) const { return start + kConvApart * i; }
    STRATA_BODY int slot(int i) const {  // i from -3 on
        return first_slot + (place + kConvApart * (i + kConvBefore)) % kConvSlots;
    }
};

STRATA_HD ConvClass conv_class(const EngramConvTask& task, int sequence, int in_class) {
    const int start = task.starts[sequence], end = task.starts[sequence + 1];
    return {.start = start + in_class,
            .count = (end - start - in_class + kConvApart - 1) / kConvApart,
            .first_slot = sequence * kConvSlots,
            .place = task.first_position[sequence] % kConvSlots + in_class};
}

template <int packs_held, class Thread>
STRATA_BODY void engram_conv(Thread& t, const EngramConvTask& task) {
    using Stream = ConvStream<packs_held, Thread>;
    constexpr int kRows = Stream::kRows, kStages = Stream::kStages;
    const int sequence = t.row(), in_class = t.block() / task.streams % kConvApart;
    const int span = t.block() / (task.streams * kConvApart), spans = t.blocks() / (task.streams * kConvApart);
    const int start = task.starts[sequence], end = task.starts[sequence + 1];
    const int position = task.first_position[sequence];
    if (start < 0 || end < start || end > task.tokens || long(end) - start > task.most_tokens || position < 0) {
        if (t.thread() == 0) t.atomic_max(task.error, 1);
        return;
    }
    const ConvClass all = conv_class(task, sequence, in_class);
    const int length = int(ceil_div(ceil_div(task.most_tokens, kConvApart), spans));
    const int first = span * length, last = all.count - first > length ? first + length : all.count;
    if (span > 0 && first >= all.count) return;

    // The last three rows of a class stay in the state, normalised: those of the span that has its end.
    const int keep_from = last == all.count ? last - kConvBefore : last;

    Stream of(t, task, Stream::kPlaces);
    ConvSums sums[packs_held][2] = {};
    const int begin = span > 0 ? first - kConvWarm : first;
    // This thread's part of the class's row i, by one multiply-add each.
    const auto* values_first = reinterpret_cast<const char*>(task.values + of.own_part(all.token(0)));
    auto* out_first = reinterpret_cast<char*>(task.out + of.own_part(all.token(0)));
    const int apart = kConvApart * task.streams * task.hidden * int(sizeof(Bf16));
    const auto values_at = [&](int i) { return reinterpret_cast<const Bf16*>(values_first + long(i) * apart); };
    const auto out_at = [&](int i) { return reinterpret_cast<Bf16*>(out_first + long(i) * apart); };
    // Rows beyond the last are whatever their place holds, and go nowhere.
    const auto ask = [&](int from, int stage) {
        STRATA_UNROLL
        for (int r = 0; r < kRows; ++r)
            if (from + r < last) of.ask_for_row(values_at(from + r), stage, r);
        of.copies.close_group();
    };
    STRATA_ROLLED
    for (int stage = 0; stage < kStages - 1; ++stage) ask(begin + stage * kRows, stage);
    // Rows before the sequence's first, from the state: the first nine positions have nothing before them. What stays
    // of them is written again.
    if (span == 0) {
        STRATA_ROLLED
        for (int before = -kConvBefore; before < 0; ++before) {
            const bool is_there = position + in_class + kConvApart * before >= 0;
            STRATA_UNROLL
            for (int i = 0; i < packs_held; ++i) {
                t.sync_warp();  // so that factors are not all held from here on
                const Bf16Pairs row = is_there ? of.load(task.state, all.slot(before), i) : Bf16Pairs{};
                STRATA_UNROLL
                for (int half = 0; half < 2; ++half) recall(sums[i][half], of.factors(i, half), row.at + half * 2);
                if (before >= all.count - kConvBefore) of.store(task.next_state, all.slot(before), i, row);
            }
        }
    }
    int stage = 0;
    STRATA_ROLLED
    for (int at = begin; at < last; at += kRows) {
        of.copies.template wait_for_all_but<kStages - 2>();
        float rstd[kRows];
        STRATA_UNROLL
        for (int r = 0; r < kRows; ++r) {
            Bf16Pairs row[packs_held];
            of.take_row(stage, r, row);
            rstd[r] = of.squares_of(row);
        }
        ask(at + (kStages - 1) * kRows, stage > 0 ? stage - 1 : kStages - 1);  // where the step before was
        of.template take_rstd<kRows>(rstd, rstd);

        constexpr int kTogether = kRows > 1 ? kRows / 2 : 1;  // that registers hold beside sums and factors
        STRATA_UNROLL
        for (int group = 0; group < kRows; group += kTogether) {
            ConvRows<packs_held, kTogether> values;
            STRATA_UNROLL
            for (int r = 0; r < kTogether; ++r) of.take_row(stage, group + r, values.at[r]);
            STRATA_UNROLL
            for (int i = 0; i < packs_held; ++i) STRATA_UNROLL
            for (int half = 0; half < 2; ++half) {
                const auto factors = of.factors(i, half);
                STRATA_UNROLL
                for (int r = 0; r < kTogether; ++r)
                    convolve(sums[i][half], factors, rstd[group + r], values.at[r][i].at + half * 2);
                if (packs_held > 1) t.sync_warp();  // so that the next factors wait for registers
            }
            STRATA_UNROLL
            for (int r = 0; r < kTogether; ++r) {
                const int row = at + group + r;
                if (row >= first && row < last) of.store_row(out_at(row), values.at[r]);
            }
            t.sync_warp();  // so that the next group's loads stay behind this one's work
        }
        if (at + kRows > keep_from) {  // asked for again, as what the class is takes registers that the loop has not
            const ConvClass again = conv_class(task, sequence, in_class);
            STRATA_UNROLL
            for (int r = 0; r < kRows; ++r) {
                if (at + r < keep_from || at + r >= last) continue;
                Bf16Pairs row[packs_held];
                of.take_row(stage, r, row);
                STRATA_UNROLL
                for (int i = 0; i < packs_held; ++i)
                    of.store(task.next_state, again.slot(at + r), i, of.normalised(row[i], rstd[r], i));
            }
        }
        stage = stage < kStages - 1 ? stage + 1 : 0;
    }
}

// A token a sequence, or none, and the state in place: one slot changes.
template <int packs_held, class Thread>
STRATA_BODY void engram_conv_decode(Thread& t, const EngramConvTask& task) {
    // As it was read: it is looked at a turn later, so that nobody waits for it.
    struct Step {
        int start = 0, end = 0, position = 0;
    };
    struct Rows {
        ConvRows<packs_held, 1> values;
        ConvRows<packs_held, kConvBefore> before;
    };
    using Stream = ConvStream<packs_held, Thread>;
    Stream of(t, task, Stream::kFactors);
    const int stride = t.blocks() / task.streams;
    const auto slot = [&](int sequence, int position) { return sequence * kConvSlots + position % kConvSlots; };
    const auto step_of = [&](int sequence) {
        if (sequence >= task.sequences) return Step{};
        return Step{task.starts[sequence], task.starts[sequence + 1], task.first_position[sequence]};
    };
    const auto is_to_do = [&](const Step& step) {
        const bool is_right = step.start >= 0 && step.end >= step.start && step.end <= task.tokens &&
                              long(step.end) - step.start <= 1 && step.position >= 0;
        if (!is_right && t.thread() == 0) t.atomic_max(task.error, 1);
        return is_right && step.end > step.start;
    };
    const auto load = [&](int sequence, const Step& step, bool is_there) {
        Rows rows{};
        if (!is_there) return rows;
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            rows.values.at[0][i] = of.load(task.values, step.start, i);
            STRATA_UNROLL
            for (int k = 0; k < kConvBefore; ++k) {
                const int position = step.position - kConvApart * (kConvBefore - k);
                if (position >= 0) rows.before.at[k][i] = of.load(task.state, slot(sequence, position), i);
            }
        }
        return rows;
    };
    int sequence = t.block() / task.streams;
    Step next_step = step_of(sequence), after = step_of(sequence + stride);
    bool next_is_there = is_to_do(next_step);
    Rows next = load(sequence, next_step, next_is_there);
    for (; sequence < task.sequences; sequence += stride) {
        Rows rows = next;
        const Step step = next_step;
        const bool is_there = next_is_there;
        next_step = after, next_is_there = is_to_do(next_step);
        after = step_of(sequence + 2 * stride);
        next = load(sequence + stride, next_step, next_is_there);
        if (!is_there) continue;
        float rstd = of.squares_of(rows.values.at[0]);
        of.template take_rstd<1>(&rstd, &rstd);
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            const Bf16Pairs own = of.normalised(rows.values.at[0][i], rstd, i);
            of.store(task.next_state, slot(sequence, step.position), i, own);
            STRATA_UNROLL
            for (int half = 0; half < 2; ++half) {
                const auto factors = of.factors(i, half);
                ConvSums sums{};
                STRATA_UNROLL
                for (int k = 0; k < kConvBefore; ++k) recall(sums, factors, rows.before.at[k][i].at + half * 2);
                convolve(sums, factors, rstd, rows.values.at[0][i].at + half * 2);
            }
            of.store(task.out, step.start, i, rows.values.at[0][i]);
        }
    }
}

}  // namespace strata
