// The gather with a cache of hot rows before it: hits come from the GPU's memory, misses over the bus, both in flight
// at once. A warp looks eight rows up together: 8 rows x 8 ways are two tags a lane. Hits are counted.
#pragma once

#include "kernels/engram/engram_gather_body.hpp"
#include "kernels/engram/row_cache.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

struct EngramCachedGatherTask {
    EngramGatherTask gather{};             // from the table that the cache stands before
    const std::uint8_t* cached = nullptr;  // [sets * 8] rows of 272 bytes, 16-byte aligned
    const std::int32_t* tags = nullptr;    // [sets * 8], from plan_row_cache
    std::int32_t* hits = nullptr;          // what this launch finds in the cache is added
    int log2_sets = 0;
};

inline void require_valid(const EngramCachedGatherTask& task) {
    require_valid(task.gather);
    require_log2_sets(task.log2_sets);
    if (task.gather.rows > 0 && (!task.cached || !task.tags || !task.hits))
        throw std::invalid_argument("engram_cached_gather: a buffer is missing (cached, tags and hits are all needed)");
    if (reinterpret_cast<std::uintptr_t>(task.cached) % 16 != 0)
        throw std::invalid_argument("engram_cached_gather: `cached` must be aligned to 16 bytes");
}

inline Grid grid_of(const EngramCachedGatherTask& task) { return grid_of(task.gather); }

template <class Thread>
STRATA_BODY void engram_cached_gather(Thread& t, const EngramCachedGatherTask& task) {
    const auto slot_place = [](std::int32_t slot) { return -2 - slot; };  // its own inverse; table rows are >= 0
    std::int32_t hits = 0;
    const auto place_of = [&](std::int32_t id) {
        const std::int32_t row = id >= 0 && id < task.gather.table_rows ? id : kNowhere;
        std::int32_t place = row;
        STRATA_UNROLL
        for (int half = 0; half < 2; ++half) {  // rows 0 to 3, then 4 to 7: eight lanes a row, one a way
            const std::int32_t sought = t.shuffle(row, half * 4 + t.lane() / kCacheWays);
            const std::int32_t slot =
                sought == kNowhere ? 0 : cache_set(sought, task.log2_sets) * kCacheWays + t.lane() % kCacheWays;
            const unsigned found = t.ballot(sought != kNowhere && task.tags[slot] == sought);
            const int asking = t.lane() % kEngramRowsInFlight;  // this lane's own row
            const unsigned ways = found >> (asking % 4 * kCacheWays) & 0xFFu;
            if (asking / 4 != half || ways == 0) continue;
            const int way = Thread::ones((ways & (0u - ways)) - 1);
            place = slot_place(cache_set(row, task.log2_sets) * kCacheWays + way);
        }
        hits += place < kNowhere && t.lane() < kEngramRowsInFlight;
        return place;
    };
    move_rows(
        t, task.gather.ids, task.gather.rows, place_of,
        [&](std::int32_t place, int part) {
            return load_part(place < 0 ? task.cached + long(slot_place(place)) * kEngramRowStride
                                       : task.gather.table + long(place) * kEngramRowStride,
                             part);
        },
        [&](long row, int part, const Pack<std::uint32_t>& pack) {
            store_planes(task.gather.codes, task.gather.scales, row, part, pack);
        });
    hits = warp_sum(t, hits);
    if (t.lane() == 0 && hits > 0) t.atomic_add(task.hits, hits);
}

// Brings the rows that `tags` names into the cache; slots without one become zeros.
struct EngramCacheFillTask {
    const std::uint8_t* table = nullptr;  // [table_rows] of 272 bytes
    const std::int32_t* tags = nullptr;   // [slots]
    std::uint8_t* cached = nullptr;       // [slots] of 272 bytes
    long table_rows = 0;
    long slots = 0;
    int most_blocks = kEngramBusBlocks;
};

inline void require_valid(const EngramCacheFillTask& task) {
    if (task.slots < 0 || task.table_rows < 0 || task.most_blocks < 0)
        throw std::invalid_argument("engram_cache_fill: " + std::to_string(task.slots) + " slots of " +
                                    std::to_string(task.table_rows) + " rows; expected none to be negative");
    if (task.slots > 0 && (!task.table || !task.tags || !task.cached))
        throw std::invalid_argument("engram_cache_fill: a buffer is missing (table, tags and cached are all needed)");
    if ((reinterpret_cast<std::uintptr_t>(task.table) | reinterpret_cast<std::uintptr_t>(task.cached)) % 16 != 0)
        throw std::invalid_argument("engram_cache_fill: table and cache must be aligned to 16 bytes");
}

inline Grid grid_of(const EngramCacheFillTask& task) {
    return {.blocks = gather_blocks(task.slots, task.most_blocks), .threads = kEngramGatherThreads};
}

template <class Thread>
STRATA_BODY void engram_cache_fill(Thread& t, const EngramCacheFillTask& task) {
    move_rows(
        t, task.tags, task.slots, [&](std::int32_t id) { return id >= 0 && id < task.table_rows ? id : kNowhere; },
        [&](std::int32_t row, int part) { return load_part(task.table + long(row) * kEngramRowStride, part); },
        [&](long slot, int part, const Pack<std::uint32_t>& pack) {
            store_pack(reinterpret_cast<std::uint32_t*>(task.cached + slot * kEngramRowStride), part * 4, pack);
        });
}

}  // namespace strata
