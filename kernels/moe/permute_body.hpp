// The move into expert order. A block is one warp and moves a part of a token's row: a bulk copy brings it to shared
// memory once, and one of its lanes sends it from there to all k slots by a bulk copy each, so that a part crosses HBM
// once on its way in, passes no register, and is written in one go: what leaves L2 together belongs to the same pages
// of memory. Further blocks zero-fill padding from shared memory likewise: grouped products read whole tiles. Rows are
// bytes here: BF16, or E4M3 with the scales of their tiles, which are copied by ordinary loads and stores.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/quant/scales.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/portable.hpp"
#include "kernels/simt/tma.hpp"

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

inline constexpr int kPermuteThreads = 32;
inline constexpr int kPermuteMostBytes = 8192;  // of a row that a block moves
// About ten blocks in an SM keep its copies busy; more would only wait for each other.
inline constexpr int kPermuteSharedBytes = 20 * 1024;

// Bytes of each part of a row but the last: a multiple of 16.
STRATA_HD int permute_part_bytes(const PermuteTask& task) {
    return int(ceil_div(task.row_bytes / 16, ceil_div(task.row_bytes, kPermuteMostBytes)) * 16);
}

STRATA_HD int permute_parts(const PermuteTask& task) { return int(ceil_div(task.row_bytes, permute_part_bytes(task))); }

// A slot for each lane. They come first: what is left at the end is then the evener part, tokens.
STRATA_HD int padding_blocks(const PermuteTask& task) { return int(ceil_div(task.slots, 32)); }

// Of blocks that move rows alone.
inline Grid grid_of_rows(const PermuteTask& task) {
    return {.blocks = int(task.tokens * permute_parts(task)),
            .threads = kPermuteThreads,
            .shared_bytes = kPermuteSharedBytes};
}

inline Grid grid_of(const PermuteTask& task) {
    Grid grid = grid_of_rows(task);
    grid.blocks += padding_blocks(task);
    return grid;
}

STRATA_HD long scale_index(const PermuteTask& task, long slot, long tile) {
    return task.layout == ScaleLayout::row_major ? slot * task.scales + tile : tile * ((task.slots + 3) / 4 * 4) + slot;
}

// Sixteen bytes as four words: as bytes they would take a register each.
using Sixteen = Pack<std::uint32_t>;

STRATA_HD void store_sixteen(std::uint8_t* p, long byte, const Sixteen& pack) {
    store_pack(reinterpret_cast<std::uint32_t*>(p), byte / 4, pack);
}

// Where row `row`, not negative, of rows of so many elements begins: one instruction, unlike the product of two longs.
STRATA_HD std::uint64_t row_start(std::int32_t row, long elements) {
    return std::uint64_t(std::uint32_t(row)) * std::uint32_t(elements);
}

// Of the token's pair first_pair + lane, -1: nowhere.
template <class Thread>
STRATA_BODY std::int32_t slot_of_lane(Thread& t, const PermuteTask& task, long token, int first_pair) {
    const int pair = first_pair + t.lane();
    const std::int32_t slot = pair < task.k ? task.slot_of_pair[token * task.k + pair] : -1;
    return slot < task.slots ? slot : -1;
}

// Lane i knows the slot of the i-th of so many pairs.
template <class Thread>
STRATA_BODY void copy_scales(Thread& t, const PermuteTask& task, long token, std::int32_t slot_of_lane, int pairs) {
    for (long first = 0; first < task.scales; first += 32) {  // all lanes alike: they shuffle
        const long tile = first + t.lane();
        const bool mine = tile < task.scales;
        const float scale = mine ? task.scales_in[token * task.scales + tile] : 0;
        for (int pair = 0; pair < pairs; ++pair) {
            const std::int32_t slot = t.shuffle(slot_of_lane, pair);
            if (slot >= 0 && mine) task.scales_out[scale_index(task, slot, tile)] = scale;
        }
    }
}

// What a block of those that move rows has.
struct PartOfRow {
    long token;
    int part;
};

STRATA_HD PartOfRow part_of_block(const PermuteTask& task, int block) {
    const int parts = permute_parts(task);
    return {.token = block / parts, .part = block % parts};
}

// With the first part go the row's scales. The caller waits for the stores.
template <class Thread>
STRATA_BODY void move_part(Thread& t, const PermuteTask& task, const PartOfRow& mine, BulkStores& stores) {
    const int most = permute_part_bytes(task), from = mine.part * most;
    const int bytes = int(task.row_bytes) - from < most ? int(task.row_bytes) - from : most;
    auto* full = reinterpret_cast<typename Thread::Barrier*>(t.shared() + kPermuteMostBytes);
    if (t.lane() == 0) {
        t.open_barrier(full, 1), t.publish_barriers();
        t.arrive_expecting(full, bytes);
        load_run(t, t.shared(), task.in + mine.token * task.row_bytes + from, bytes, full);
    }
    std::int32_t slot = slot_of_lane(t, task, mine.token, 0);  // on its way beside the row
    t.sync_warp();
    t.wait(full, 0);
    for (int first = 0; first < task.k; first += 32) {
        if (first > 0) slot = slot_of_lane(t, task, mine.token, first);
        const int pairs = task.k - first < 32 ? task.k - first : 32;
        for (int pair = 0; pair < pairs; ++pair) {
            const std::int32_t to = t.shuffle(slot, pair);
            if (t.lane() == 0 && to >= 0)
                stores.store_run(t, task.out + row_start(to, task.row_bytes) + from, t.shared(), bytes);
        }
        stores.close_group();
        if (mine.part == 0) copy_scales(t, task, mine.token, slot, pairs);
    }
}

// The warp looks at 32 neighbouring slots and zero-fills those of padding.
template <class Thread>
STRATA_BODY void fill_padding(Thread& t, const PermuteTask& task) {
    const long first = long(t.block()) * 32, slot = first + t.lane();
    const std::int32_t used = *task.used, pair = slot < task.slots ? task.pair_of_slot[slot] : 0;
    const unsigned empty = t.ballot(pair < 0 && slot < used);
    if (empty == 0) return;
    const int part = permute_part_bytes(task);
    for (int at = t.lane() * 16; at < part; at += 32 * 16) store_sixteen(t.shared(), at, Sixteen{});
    t.show_to_async_copies();
    t.sync_warp();
    BulkStores stores;
    for (int i = 0; i < 32; ++i) {
        if ((empty >> i & 1) == 0) continue;
        std::uint8_t* to = task.out + (first + i) * task.row_bytes;
        for (long at = 0; t.lane() == 0 && at < task.row_bytes; at += part)
            stores.store_run(t, to + at, t.shared(), int(task.row_bytes - at < part ? task.row_bytes - at : part));
        for (long tile = t.lane(); tile < task.scales; tile += 32)
            task.scales_out[scale_index(task, first + i, tile)] = 0;
    }
    stores.close_group();
    stores.wait_until_read<0>();
}

template <class Thread>
STRATA_BODY void permute(Thread& t, const PermuteTask& task) {
    const int padding = padding_blocks(task);
    if (t.block() < padding) return fill_padding(t, task);
    BulkStores stores;
    move_part(t, task, part_of_block(task, t.block() - padding), stores);
    stores.wait_until_read<0>();
}

}  // namespace strata
