// The move into expert order, thread by thread. A block moves one token: it reads its row once and writes it to all k
// slots, so that a row crosses HBM once on its way in. Further blocks zero-fill padding, a warp a slot: grouped
// products read whole tiles. Rows are bytes here: BF16, or E4M3 with the scales of their tiles.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/quant/quantise_body.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/portable.hpp"

namespace strata {

struct PermuteTask {
    const std::uint8_t* in = nullptr;            // [tokens][row_bytes]
    std::uint8_t* out = nullptr;                 // [slots][row_bytes]
    const float* scales_in = nullptr;            // [tokens][scales]; none for BF16
    float* scales_out = nullptr;                 // of the slots, in `layout`
    const std::int32_t* slot_of_pair = nullptr;  // [tokens][k], -1: nowhere
    const std::int32_t* pair_of_slot = nullptr;  // [slots], -1: padding
    const std::int32_t* used = nullptr;          // slots behind *used belong to no expert and are left alone
    long tokens = 0;
    long slots = 0;
    long row_bytes = 0;  // a multiple of 16
    long scales = 0;     // of a row
    int k = 0;
    ScaleLayout layout = ScaleLayout::row_major;
};

inline void require_valid(const PermuteTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("permute: " + what); };
    if (task.tokens < 0 || task.slots < 0 || task.k < 1)
        refuse(std::to_string(task.tokens) + " tokens, " + std::to_string(task.slots) + " slots, k " +
               std::to_string(task.k));
    if (task.row_bytes <= 0 || task.row_bytes % 16 != 0)
        refuse("rows of " + std::to_string(task.row_bytes) + " bytes; expected a multiple of 16");
    if ((task.tokens > 0 && (!task.in || !task.slot_of_pair)) ||
        (task.slots > 0 && (!task.out || !task.pair_of_slot || !task.used)))
        refuse("a buffer is missing (in, out, slot_of_pair, pair_of_slot and used are all needed)");
    if (task.scales < 0 || (task.scales > 0 && (!task.scales_in || !task.scales_out)))
        refuse("scales need a buffer to read and one to write");
    if (reinterpret_cast<std::uintptr_t>(task.in) % 16 != 0 || reinterpret_cast<std::uintptr_t>(task.out) % 16 != 0)
        refuse("rows must be aligned to 16 bytes");
}

inline constexpr int kPermuteThreads = 128;
inline constexpr int kPermutePacks = 4;  // of a thread in flight
inline constexpr int kPermuteMostK = 8;  // slots a thread keeps in registers; more are taken in turns

inline constexpr int kPermuteSlots = 8;  // that a warp looks at for padding

// They come first: what is left at the end is then the evener part, tokens.
STRATA_HD int padding_blocks(const PermuteTask& task) {
    return int(ceil_div(task.slots, kPermuteThreads / 32 * kPermuteSlots));
}

inline Grid grid_of(const PermuteTask& task) {
    return {.blocks = int(task.tokens) + padding_blocks(task), .threads = kPermuteThreads};
}

STRATA_HD long scale_index(const PermuteTask& task, long slot, long tile) {
    return task.layout == ScaleLayout::row_major ? slot * task.scales + tile : tile * ((task.slots + 3) / 4 * 4) + slot;
}

// Sixteen bytes as four words: as bytes they would take a register each.
using Sixteen = Pack<std::uint32_t>;

STRATA_HD Sixteen load_sixteen(const std::uint8_t* p, long byte) {
    return load_pack(reinterpret_cast<const std::uint32_t*>(p), byte / 4);
}

STRATA_HD void store_sixteen(std::uint8_t* p, long byte, const Sixteen& pack) {
    store_pack(reinterpret_cast<std::uint32_t*>(p), byte / 4, pack);
}

template <class Thread>
STRATA_BODY void move_token(Thread& t, const PermuteTask& task, long token, int first_pair) {
    std::int32_t slot[kPermuteMostK];
    STRATA_UNROLL
    for (int i = 0; i < kPermuteMostK; ++i) {
        slot[i] = first_pair + i < task.k ? task.slot_of_pair[token * task.k + first_pair + i] : -1;
        if (slot[i] >= task.slots) slot[i] = -1;
    }
    const std::uint8_t* row = task.in + token * task.row_bytes;
    for (long from = t.thread() * 16; from < task.row_bytes; from += kPermutePacks * kPermuteThreads * 16) {
        Sixteen packs[kPermutePacks];
        STRATA_UNROLL
        for (int i = 0; i < kPermutePacks; ++i) {
            const long at = from + i * kPermuteThreads * 16;
            if (at < task.row_bytes) packs[i] = load_sixteen(row, at);
        }
        STRATA_UNROLL
        for (int pair = 0; pair < kPermuteMostK; ++pair) {
            if (slot[pair] < 0) continue;
            STRATA_UNROLL
            for (int i = 0; i < kPermutePacks; ++i) {
                const long at = from + i * kPermuteThreads * 16;
                if (at < task.row_bytes) store_sixteen(task.out + slot[pair] * task.row_bytes, at, packs[i]);
            }
        }
    }
    for (long tile = t.thread(); tile < task.scales; tile += kPermuteThreads) {
        const float scale = task.scales_in[token * task.scales + tile];
        STRATA_UNROLL
        for (int pair = 0; pair < kPermuteMostK; ++pair)
            if (slot[pair] >= 0) task.scales_out[scale_index(task, slot[pair], tile)] = scale;
    }
}

// A warp looks at a few neighbouring slots at once and zero-fills those of padding.
template <class Thread>
STRATA_BODY void fill_padding(Thread& t, const PermuteTask& task) {
    const long first = (long(t.block()) * (kPermuteThreads / 32) + t.warp()) * kPermuteSlots;
    const long slot = first + t.lane();
    const bool mine = t.lane() < kPermuteSlots && slot < task.slots && slot < *task.used;
    const unsigned empty = t.ballot(mine && task.pair_of_slot[slot] < 0);
    for (int i = 0; i < kPermuteSlots; ++i) {
        if ((empty >> i & 1) == 0) continue;
        for (long at = t.lane() * 16; at < task.row_bytes; at += 32 * 16)
            store_sixteen(task.out, (first + i) * task.row_bytes + at, Sixteen{});
        for (long tile = t.lane(); tile < task.scales; tile += 32)
            task.scales_out[scale_index(task, first + i, tile)] = 0;
    }
}

template <class Thread>
STRATA_BODY void permute(Thread& t, const PermuteTask& task) {
    const int padding = padding_blocks(task);
    if (t.block() < padding) return fill_padding(t, task);
    for (int pair = 0; pair < task.k; pair += kPermuteMostK) move_token(t, task, t.block() - padding, pair);
}

}  // namespace strata
