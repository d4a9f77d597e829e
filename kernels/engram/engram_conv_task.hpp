// What Engram's short convolution is asked to do, and how a GPU is divided for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/grid.hpp"

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
// Steps whose rows are in shared memory, one of them worked on and the next one's norms taken: what it holds at the
// largest hidden sizes.
constexpr int conv_stages(int) { return 3; }

inline int conv_threads(int hidden) { return int(ceil_div(hidden, conv_packs(hidden) * 8 * 32)) * 32; }

inline bool is_decode(const EngramConvTask& task) { return task.most_tokens == 1 && task.next_state == task.state; }

// Blocks that an H200 has at once: registers and shared memory are one's or, of at most 320 threads, two's.
inline long conv_blocks_at_once(int hidden) {
    return conv_packs(hidden) == 1 && conv_threads(hidden) <= 320 ? 2 * kConvSms : kConvSms;
}

// A span of a class, and the blocks' order: those of the classes that are cut into one span fewer, the longer ones,
// come first.
struct ConvSpan {
    int which, span, spans;  // which class; the span'th of so many
};
STRATA_HD ConvSpan conv_span(long block, long blocks, long classes) {
    const long fewer = blocks / classes, of_fewer = classes - blocks % classes, more = block - fewer * of_fewer;
    if (more < 0) return {int(block % of_fewer), int(block / of_fewer), int(fewer)};
    return {int(of_fewer + more % (classes - of_fewer)), int(more / (classes - of_fewer)), int(fewer + 1)};
}

// How many blocks: such that they fill the GPU a whole number of times, and few, for each costs about ten rows more
// (those before its span, weights to shared memory, the first wait). Spans have at least 32 rows.
inline long conv_blocks(long most_tokens, long classes, long at_once) {
    const long rows = std::max(ceil_div(most_tokens, kConvApart), 1L), most = std::max(rows / 32, 1L) * classes;
    const auto cost = [&](long blocks) {
        const long turns = ceil_div(blocks, at_once), spans = blocks / classes, longer = blocks % classes;
        const long turns_of_longer = ceil_div((classes - longer) * spans, at_once);
        return turns_of_longer * ceil_div(rows, spans) + (turns - turns_of_longer) * ceil_div(rows, spans + 1) +
               10 * turns;
    };
    long best = classes;
    for (long turns = 1; turns <= 16; ++turns) {
        const long blocks = std::clamp(turns * at_once, classes, most);
        if (cost(blocks) < cost(best)) best = blocks;
    }
    return best;
}

inline constexpr std::size_t kConvBarrierBytes = 16;  // of shared memory, so that what follows is aligned
// A thread's own places of 16 bytes in shared memory, which no other looks at: weight and taps in FP32 [packs][5][2
// halves], then rows on the way [stages][rows][packs].
constexpr int conv_factors(int packs) { return packs * 10; }
constexpr int conv_places(int packs) { return conv_factors(packs) + conv_stages(packs) * conv_rows(packs) * packs; }

// Block: a span of a class (sequence, third of it, stream); in decode every streams-th block has the same stream.
// Shared memory: a barrier, sums of warps [2][warps][4], then each thread's places.
inline Grid grid_of(const EngramConvTask& task) {
    const int threads = conv_threads(task.hidden), packs = conv_packs(task.hidden);
    const std::size_t places = std::size_t(threads) * 16,
                      sums = kConvBarrierBytes + std::size_t(threads) / 32 * 2 * 4 * sizeof(float);
    if (is_decode(task)) {
        const long a_stream = std::max(1L, conv_blocks_at_once(task.hidden) / task.streams);
        return {.blocks = int(std::min<long>(task.sequences, a_stream)) * task.streams,
                .threads = threads,
                .shared_bytes = sums + places * conv_factors(packs)};
    }
    const long classes = long(task.sequences) * task.streams * kConvApart;
    return {.blocks = int(conv_blocks(task.most_tokens, classes, conv_blocks_at_once(task.hidden))),
            .threads = threads,
            .shared_bytes = sums + places * conv_places(packs)};
}

}  // namespace strata
