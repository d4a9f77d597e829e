// Gathers rows of an Engram table from the GPU's memory, or from pinned memory of the host over the bus: the same
// kernel. Over the bus bytes in flight are not what bounds (at 55 GB/s and 1.5 us 82 KB, and 8 blocks ask for 278 KB):
// addresses to be translated are. An H200 reads 35 million rows a second at random places of a table of 8 GB, whether 8
// or 264 blocks ask and from pages of 2 MB too, twice as many in the table's order, and 110 million where a launch has
// only 3,072 rows.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/engram/move_rows.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

inline constexpr int kEngramBusBlocks = 32;  // a block an SM; as fast as 264 within one part in 100

struct EngramGatherTask {
    const std::uint8_t* table = nullptr;  // [table_rows] of 272 bytes, 16-byte aligned
    const std::int32_t* ids = nullptr;    // [rows]; negative or beyond the table: zeros
    std::uint8_t* codes = nullptr;        // [rows][256], E4M3, 16-byte aligned
    std::uint8_t* scales = nullptr;       // [rows][8], UE8M0, 8-byte aligned
    long table_rows = 0;
    long rows = 0;
    int most_blocks = 0;  // 0: as many as there is work for
};

inline void require_valid(const EngramGatherTask& task) {
    if (task.rows < 0 || task.table_rows < 0 || task.most_blocks < 0)
        throw std::invalid_argument("engram_gather: " + std::to_string(task.rows) + " rows of " +
                                    std::to_string(task.table_rows) + " with at most " +
                                    std::to_string(task.most_blocks) + " blocks; expected none to be negative");
    if (task.rows > 0 && (!task.table || !task.ids || !task.codes || !task.scales))
        throw std::invalid_argument("engram_gather: a buffer is missing (table, ids, codes and scales are all needed)");
    if ((reinterpret_cast<std::uintptr_t>(task.table) | reinterpret_cast<std::uintptr_t>(task.codes)) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.scales) % 8 != 0)
        throw std::invalid_argument("engram_gather: table and codes must be aligned to 16 bytes and scales to 8");
}

inline constexpr int kEngramGatherThreads = 512;

inline int gather_blocks(long rows, int most_blocks) {
    const long blocks = ceil_div(rows, kEngramGatherThreads / 32 * kEngramRowsInFlight);
    return int(most_blocks > 0 && blocks > most_blocks ? most_blocks : blocks);
}

inline Grid grid_of(const EngramGatherTask& task) {
    return {.blocks = gather_blocks(task.rows, task.most_blocks), .threads = kEngramGatherThreads};
}

template <class Thread>
STRATA_BODY void engram_gather(Thread& t, const EngramGatherTask& task) {
    move_rows(
        t, task.ids, task.rows, [&](std::int32_t id) { return id >= 0 && id < task.table_rows ? id : kNowhere; },
        [&](std::int32_t row, int part) { return load_part(task.table + long(row) * kEngramRowStride, part); },
        [&](long row, int part, const Pack<std::uint32_t>& pack) {
            store_planes(task.codes, task.scales, row, part, pack);
        });
}

// The same from a table in two planes: codes on the host, in rows of 256 bytes that are two whole lines of the bus, and
// scales in the GPU's memory (3.1 GB for the 384 M rows of a released layer). A row of 272 bytes is three requests for
// 288 bytes over the bus, of which 264 are wanted.
struct EngramSplitGatherTask {
    EngramGatherTask gather{};                   // its table: [table_rows] of 256 bytes, aligned to 128
    const std::uint8_t* table_scales = nullptr;  // [table_rows][8], 8-byte aligned
};

inline void require_valid(const EngramSplitGatherTask& task) {
    require_valid(task.gather);
    if (task.gather.rows > 0 && !task.table_scales)
        throw std::invalid_argument("engram_split_gather: the table's scales are missing");
    if (reinterpret_cast<std::uintptr_t>(task.gather.table) % 128 != 0 ||
        reinterpret_cast<std::uintptr_t>(task.table_scales) % 8 != 0)
        throw std::invalid_argument("engram_split_gather: the table must be aligned to 128 bytes, its scales to 8");
}

inline Grid grid_of(const EngramSplitGatherTask& task) { return grid_of(task.gather); }

template <class Thread>
STRATA_BODY void engram_split_gather(Thread& t, const EngramSplitGatherTask& task) {
    const EngramGatherTask& gather = task.gather;
    move_rows(
        t, gather.ids, gather.rows, [&](std::int32_t id) { return id >= 0 && id < gather.table_rows ? id : kNowhere; },
        [&](std::int32_t row, int part) {
            if (part < kEngramRowWidth / 16) return load_part(gather.table + long(row) * kEngramRowWidth, part);
            const auto scales =
                *reinterpret_cast<const EngramScales*>(task.table_scales + long(row) * kEngramRowScales);
            return Pack<std::uint32_t>{{scales.at[0], scales.at[1], 0, 0}};
        },
        [&](long row, int part, const Pack<std::uint32_t>& pack) {
            store_planes(gather.codes, gather.scales, row, part, pack);
        });
}

}  // namespace strata
