// Engram's short convolution. Taps are three tokens apart, so the positions of a sequence fall into three classes
// (position mod 3) that never meet: a block walks one class of one stream, every third token, and keeps the last three
// normalised rows in registers. Thus a value is read once, normalised once and used by four outputs. Long sequences are
// cut into spans; a span normalises the three rows before it again (of 64).
//
// The state of a sequence is nine normalised rows a stream, that of position p in slot p mod 9; a class owns three
// slots. Decode is a span of one token. A launch reads one state and writes another, because a long sequence's first
// span reads while its last one writes; decode may have both in one.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/arithmetic.hpp"
#include "kernels/engram/bf16_pairs.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

inline constexpr int kConvApart = 3;   // dilation: the largest n-gram of the paper's models
inline constexpr int kConvBefore = 3;  // taps beside the token's own
inline constexpr int kConvSlots = 9;   // kConvApart * kConvBefore
inline constexpr int kConvThreads = 320;
inline constexpr long kConvSpan = 64;  // tokens of a class

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

// Block: (span, class, stream) of row: a sequence. Shared memory: weight and taps [5][hidden], sums of warps
// [2][warps].
inline Grid grid_of(const EngramConvTask& task) {
    const long spans = ceil_div(task.most_tokens > 0 ? task.most_tokens : 1, kConvApart * kConvSpan);
    return {.blocks = int(spans * kConvApart * task.streams),
            .rows = task.sequences,
            .threads = kConvThreads,
            .shared_bytes = std::size_t(task.hidden) * 5 * 2 + 2 * kConvThreads / 32 * sizeof(float)};
}

// Packs of 8 elements a thread has; the kernel is made for 1, 2 and 3.
inline int conv_packs(int hidden) { return int(ceil_div(hidden, kConvThreads * 8)); }

template <int packs_held>
struct ConvRow {
    Bf16Pairs at[packs_held];
};

// All that a block's threads know alike.
template <int packs_held, class Thread>
class ConvSpan {
public:
    STRATA_BODY ConvSpan(Thread& thread, const EngramConvTask& of)
        : t_(thread), task_(of), stream_(t_.block() % of.streams), packs_(of.hidden / 8) {
        shared_ = reinterpret_cast<Bf16*>(t_.shared());
        sums_ = reinterpret_cast<float*>(shared_ + 5 * task_.hidden);
        for (int i = t_.thread(); i < 5 * packs_; i += kConvThreads) {
            const int which = i / packs_, pack = i % packs_;
            const Bf16* from = which == 0 ? task_.weight : task_.taps + long(which - 1) * task_.streams * task_.hidden;
            store_pairs(shared_, i * 8, load_pairs(from + long(stream_) * task_.hidden, pack * 8));
        }  // what waits for these is the barrier of `normalised`, which comes before every use
    }

    // Row of a token, or of a slot of the state: [index][streams][hidden].
    STRATA_BODY ConvRow<packs_held> load(const Bf16* from, long index) const {
        ConvRow<packs_held> row{};
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i)
            row.at[i] = pack_of(i) < packs_ ? load_pairs(from, offset(index, i)) : Bf16Pairs{};
        return row;
    }
    STRATA_BODY void store(Bf16* to, long index, const ConvRow<packs_held>& row) const {
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i)
            if (pack_of(i) < packs_) store_pairs(to, offset(index, i), row.at[i]);
    }

    // One barrier; the sums are there twice, used in turn.
    STRATA_BODY ConvRow<packs_held> normalised(const ConvRow<packs_held>& values) {
        float squares = 0;
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) STRATA_UNROLL
        for (int e = 0; e < 8; ++e) squares += element(values.at[i], e) * element(values.at[i], e);
        squares = warp_sum(t_, squares);
        float* sums = sums_ + turn_ * (kConvThreads / 32);
        turn_ ^= 1;
        if (t_.lane() == 0) sums[t_.warp()] = squares;
        t_.sync();
        float sum = 0;
        for (int warp = 0; warp < kConvThreads / 32; ++warp) sum += sums[warp];
        const float rstd = rsqrt_of(sum / float(task_.hidden) + task_.eps);
        ConvRow<packs_held> row{};
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            if (pack_of(i) >= packs_) continue;
            const Bf16Pairs weight = load_pairs(shared_, pack_of(i) * 8);
            STRATA_UNROLL
            for (int e = 0; e < 8; e += 2)
                row.at[i].at[e / 2] = pair_of(element(values.at[i], e) * rstd * element(weight, e),
                                              element(values.at[i], e + 1) * rstd * element(weight, e + 1));
        }
        return row;
    }

    // before: the three earlier rows, the oldest first. The taps are added oldest first too.
    STRATA_BODY ConvRow<packs_held> convolved(const ConvRow<packs_held>& values, const ConvRow<packs_held>* before,
                                              const ConvRow<packs_held>& own) const {
        ConvRow<packs_held> out{};
        STRATA_UNROLL
        for (int i = 0; i < packs_held; ++i) {
            if (pack_of(i) >= packs_) continue;
            float y[8] = {};
            STRATA_UNROLL
            for (int k = 0; k <= kConvBefore; ++k) {
                const Bf16Pairs tap = load_pairs(shared_, (k + 1) * task_.hidden + pack_of(i) * 8);
                STRATA_UNROLL
                for (int e = 0; e < 8; ++e)
                    y[e] = fmaf(element(tap, e), element(k < kConvBefore ? before[k].at[i] : own.at[i], e), y[e]);
            }
            STRATA_UNROLL
            for (int e = 0; e < 8; e += 2)
                out.at[i].at[e / 2] =
                    pair_of(element(values.at[i], e) + silu(y[e]), element(values.at[i], e + 1) + silu(y[e + 1]));
        }
        return out;
    }

private:
    STRATA_BODY int pack_of(int i) const { return t_.thread() + i * kConvThreads; }
    STRATA_BODY long offset(long index, int i) const {
        return (index * task_.streams + stream_) * task_.hidden + pack_of(i) * 8;
    }

    Thread& t_;
    const EngramConvTask& task_;
    int stream_, packs_;
    Bf16* shared_;
    float* sums_;
    int turn_ = 0;
};

template <int packs_held, class Thread>
STRATA_BODY void engram_conv(Thread& t, const EngramConvTask& task) {
    const int sequence = t.row(), in_class = t.block() / task.streams % kConvApart;
    const long span = t.block() / (task.streams * kConvApart);
    const long start = task.starts[sequence], end = task.starts[sequence + 1];
    const long position = task.first_position[sequence];
    if (start < 0 || end < start || end > task.tokens || end - start > task.most_tokens || position < 0) {
        if (t.thread() == 0) t.atomic_max(task.error, 1);
        return;
    }
    // The class of the tokens start + in_class + 3 i for i < count.
    const long count = end - start > in_class ? ceil_div(end - start - in_class, kConvApart) : 0;
    const long first = span * kConvSpan, last = first + kConvSpan < count ? first + kConvSpan : count;
    if (span > 0 && first >= count) return;
    const bool in_place = task.next_state == task.state;  // what did not change is there already
    if (in_place && count == 0) return;

    ConvSpan<packs_held, Thread> of(t, task);
    const auto token = [&](long i) { return start + in_class + kConvApart * i; };
    const auto slot = [&](long i) {  // of the state; i from -3 on
        return long(sequence) * kConvSlots + (position + in_class + kConvApart * (i + kConvBefore)) % kConvSlots;
    };
    ConvRow<packs_held> before[kConvBefore];
    STRATA_UNROLL
    for (int k = 0; k < kConvBefore; ++k) {
        const long i = first - kConvBefore + k;
        if (i >= 0)
            before[k] = of.normalised(of.load(task.values, token(i)));
        else  // slots of the first nine positions hold nothing before them
            before[k] =
                position + in_class + kConvApart * i >= 0 ? of.load(task.state, slot(i)) : ConvRow<packs_held>{};
    }
    // Two rows on the way while one is worked on: a block has 20 KB in flight at a hidden size of 5120.
    const auto load_if = [&](long i) { return i < last ? of.load(task.values, token(i)) : ConvRow<packs_held>{}; };
    ConvRow<packs_held> next = load_if(first), after = load_if(first + 1);
    for (long i = first; i < last; ++i) {
        const ConvRow<packs_held> values = next;
        next = after, after = load_if(i + 2);
        const ConvRow<packs_held> own = of.normalised(values);
        of.store(task.out, token(i), of.convolved(values, before, own));
        before[0] = before[1], before[1] = before[2], before[2] = own;
    }
    if (last < count) return;  // the class goes on in another span
    STRATA_UNROLL
    for (int k = 0; k < kConvBefore; ++k) {
        const long i = count - kConvBefore + k;
        if (i >= 0 || !in_place) of.store(task.next_state, slot(i), before[k]);
    }
}

}  // namespace strata
