// The way back, thread by thread: a block adds up columns of one token. Each thread has eight neighbouring elements and
// requests all k rows before it adds the first, in FP32 and in the order of the pairs: the same input gives the same
// bits. What is added first is the shared expert's output, if there is one.
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/global_store.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/packed_bf16.hpp"

namespace strata {

struct CombineTask {
    const Bf16* rows = nullptr;                  // [slots][hidden], by expert
    const std::int32_t* slot_of_pair = nullptr;  // [tokens][k], -1: adds nothing
    const float* weights = nullptr;              // [tokens][k]; none: all 1
    const Bf16* addend = nullptr;                // [tokens][hidden]; none: 0
    Bf16* out = nullptr;                         // [tokens][hidden]
    long tokens = 0;
    long slots = 0;
    long hidden = 0;  // a multiple of 8
    int k = 0;
};

inline void require_valid(const CombineTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("combine: " + what); };
    if (task.tokens < 0 || task.slots < 0 || task.k < 1 || task.hidden <= 0 || task.hidden % 8 != 0)
        refuse(std::to_string(task.tokens) + " tokens of " + std::to_string(task.hidden) + " elements, " +
               std::to_string(task.slots) + " slots, k " + std::to_string(task.k) +
               "; expected a multiple of 8 elements and k of 1 or more");
    if (task.tokens > 0 && (!task.slot_of_pair || !task.out || (task.slots > 0 && !task.rows)))
        refuse("a buffer is missing (rows, slot_of_pair and out are all needed)");
    for (const void* at : {static_cast<const void*>(task.rows), static_cast<const void*>(task.addend),
                           static_cast<const void*>(task.out)})
        if (reinterpret_cast<std::uintptr_t>(at) % 16 != 0) refuse("rows must be aligned to 16 bytes");
}

inline constexpr int kCombineThreads = 128;
inline constexpr int kCombineAtOnce = 8;  // rows in flight; a larger k is taken in turns

// A block for 2048 columns of a token, so that little is left to wait for at the end; of few tokens, for 1024, so that
// all SMs have work.
inline Grid grid_of(const CombineTask& task) {
    const long columns = kCombineThreads * 8;
    return {.blocks = int(task.tokens),
            .rows = int(ceil_div(task.hidden, task.tokens < 2048 ? columns : 2 * columns)),
            .threads = kCombineThreads};
}

struct EightFloats {
    float at[8];
};

template <class Thread>
STRATA_BODY void add_pairs(const CombineTask& task, long token, long column, int first_pair, EightFloats& sum) {
    PackedBf16 row[kCombineAtOnce];
    float weight[kCombineAtOnce];
    STRATA_UNROLL
    for (int i = 0; i < kCombineAtOnce; ++i) {
        const long pair = token * task.k + first_pair + i;
        const long slot = first_pair + i < task.k ? task.slot_of_pair[pair] : -1;
        const bool there = slot >= 0 && slot < task.slots;
        row[i] = there ? load_packed(task.rows, slot * task.hidden + column) : PackedBf16{};
        weight[i] = !there ? 0.0f : task.weights ? task.weights[pair] : 1.0f;
    }
    STRATA_UNROLL
    for (int i = 0; i < kCombineAtOnce; ++i) {
        STRATA_UNROLL
        for (int x = 0; x < 8; ++x) sum.at[x] = std::fma(weight[i], number_at(row[i], x), sum.at[x]);
    }
}

template <class Thread>
STRATA_BODY void combine(Thread& t, const CombineTask& task) {
    const long token = t.block();
    const long first = (long(t.row()) * kCombineThreads + t.thread()) * 8;
    for (long column = first; column < task.hidden; column += t.rows() * kCombineThreads * 8) {
        const long at = token * task.hidden + column;
        const PackedBf16 addend = task.addend ? load_packed(task.addend, at) : PackedBf16{};
        EightFloats sum;
        STRATA_UNROLL
        for (int x = 0; x < 8; ++x) sum.at[x] = number_at(addend, x);
        for (int pair = 0; pair < task.k; pair += kCombineAtOnce) add_pairs<Thread>(task, token, column, pair, sum);
        Pack<Bf16> out;
        STRATA_UNROLL
        for (int x = 0; x < 8; ++x) out.at[x] = to_bf16(sum.at[x]);
        store_global(task.out, at, out);
    }
}

}  // namespace strata
