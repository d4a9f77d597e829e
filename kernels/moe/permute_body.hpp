// The move into expert order, thread by thread. A block moves one token: it reads its row once and writes it to all k
// slots, so that a row crosses HBM once on its way in. It has so many threads that the row is two packs of each: few
// tokens are under way at once then, so that neighbouring slots of an expert, which tokens close to each other have,
// are written while both are in L2 and leave it for the same pages of memory. Further blocks zero-fill padding, a warp
// a slot: grouped products read whole tiles. Rows are bytes here: BF16, or E4M3 with the scales of their tiles.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/quant/scales.hpp"
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
    if (task.row_bytes <= 0 || task.row_bytes % 16 != 0 || task.row_bytes > 0x7FFFFFFF)
        refuse("rows of " + std::to_string(task.row_bytes) + " bytes; expected a multiple of 16");
    if ((task.tokens > 0 && (!task.in || !task.slot_of_pair)) ||
        (task.slots > 0 && (!task.out || !task.pair_of_slot || !task.used)))
        refuse("a buffer is missing (in, out, slot_of_pair, pair_of_slot and used are all needed)");
    if (task.scales < 0 || (task.scales > 0 && (!task.scales_in || !task.scales_out)))
        refuse("scales need a buffer to read and one to write");
    if (reinterpret_cast<std::uintptr_t>(task.in) % 16 != 0 || reinterpret_cast<std::uintptr_t>(task.out) % 16 != 0)
        refuse("rows must be aligned to 16 bytes");
}

inline constexpr int kPermuteMostThreads = 512;
inline constexpr int kPermutePacks = 2;  // of a thread in flight

inline constexpr int kPermuteSlots = 8;  // that a warp looks at for padding

STRATA_HD int permute_threads(const PermuteTask& task) {
    const long warps = ceil_div(task.row_bytes, 32 * kPermutePacks * 16);
    return warps * 32 < kPermuteMostThreads ? int(warps) * 32 : kPermuteMostThreads;
}

// They come first: what is left at the end is then the evener part, tokens.
STRATA_HD int padding_blocks(const PermuteTask& task) {
    return int(ceil_div(task.slots, permute_threads(task) / 32 * kPermuteSlots));
}

inline Grid grid_of(const PermuteTask& task) {
    return {.blocks = int(task.tokens) + padding_blocks(task), .threads = permute_threads(task)};
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

// Where row `row`, not negative, of rows of so many elements begins: one instruction, unlike the product of two longs.
STRATA_HD std::uint64_t row_start(std::int32_t row, long elements) {
    return std::uint64_t(std::uint32_t(row)) * std::uint32_t(elements);
}

// Lane i of each warp knows the slot of the token's pair first_pair + i.
template <class Thread>
STRATA_BODY void move_token(Thread& t, const PermuteTask& task, long token, int first_pair) {
    const int pairs = task.k - first_pair < 32 ? task.k - first_pair : 32;
    const std::int32_t found = t.lane() < pairs ? task.slot_of_pair[token * task.k + first_pair + t.lane()] : -1;
    const std::int32_t slot_of_lane = found < task.slots ? found : -1;
    const float first_scale = t.thread() < task.scales ? task.scales_in[token * task.scales + t.thread()] : 0;
    const int row_bytes = int(task.row_bytes), step = t.threads() * 16;
    const std::uint8_t* row = task.in + token * row_bytes;
    for (int first = 0; first < row_bytes; first += kPermutePacks * step) {  // all lanes alike: they shuffle
        const int from = first + t.thread() * 16;
        Sixteen packs[kPermutePacks];
        STRATA_UNROLL
        for (int i = 0; i < kPermutePacks; ++i)
            packs[i] = from + i * step < row_bytes ? load_sixteen(row, from + i * step) : Sixteen{};
        std::uint8_t* to = task.out + from;
        for (int pair = 0; pair < pairs; ++pair) {
            const std::int32_t slot = t.shuffle(slot_of_lane, pair);
            if (slot < 0) continue;
            STRATA_UNROLL
            for (int i = 0; i < kPermutePacks; ++i)
                if (from + i * step < row_bytes) store_sixteen(to + row_start(slot, row_bytes), i * step, packs[i]);
        }
    }
    for (long first = 0; first < task.scales; first += t.threads()) {
        const long tile = first + t.thread();
        const bool mine = tile < task.scales;
        const float scale = first == 0 ? first_scale : mine ? task.scales_in[token * task.scales + tile] : 0;
        for (int pair = 0; pair < pairs; ++pair) {
            const std::int32_t slot = t.shuffle(slot_of_lane, pair);
            if (slot >= 0 && mine) task.scales_out[scale_index(task, slot, tile)] = scale;
        }
    }
}

// A warp looks at a few neighbouring slots at once and zero-fills those of padding.
template <class Thread>
STRATA_BODY void fill_padding(Thread& t, const PermuteTask& task) {
    const long first = (long(t.block()) * t.warps() + t.warp()) * kPermuteSlots;
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
    for (int pair = 0; pair < task.k; pair += 32) move_token(t, task, t.block() - padding, pair);
}

}  // namespace strata
