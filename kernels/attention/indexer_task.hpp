// What the lightning indexer is asked for: queries against keys that stand in one array (prefill) or in pages
// (decoding).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/attention/compressed_cache.hpp"
#include "kernels/elements.hpp"
#include "kernels/simt/grid.hpp"

namespace strata {

struct IndexerTask {
    const E4m3* queries = nullptr;   // [rows][heads][128]
    const float* weights = nullptr;  // [rows][heads], with the query's scale and softmax's factor in them
    float* logits = nullptr;         // [rows][stride]; none: only maxima are wanted
    long rows = 0;
    long columns = 0;  // positions that a row has room for
    long stride = 0;   // elements from row to row
    int heads = 64;    // or 32

    // Positions that a query does not see are left as they are: top-k honours bounds. Otherwise they become -infinity.
    bool fill_outside = false;

    // Where wanted, what coarse selection starts with (coarse_selection_body.hpp): the largest logit of each block of 8
    // positions, infinity for a newest block that is not full; and how many blocks a row has.
    float* maxima = nullptr;         // [rows][maxima_stride]
    std::int32_t* counts = nullptr;  // [rows]
    long maxima_stride = 0;

    int splits = 0;  // blocks that share a row's keys; chosen by `planned`, unless set
};

// Keys one after the other; query i sees positions [begin[i], end[i]).
struct IndexerKeys {
    const E4m3* codes = nullptr;          // [keys][128]
    const float* scales = nullptr;        // [keys]
    const std::int32_t* begin = nullptr;  // [rows]; none: 0
    const std::int32_t* end = nullptr;    // [rows]; none: all keys
    long keys = 0;
};

// Keys of sequences in pages of 64 (compressed_cache.hpp). Rows are the next_n newest tokens of each sequence: the last
// sees its whole context, the one before all but the newest key. A page that is not there has logits of -infinity.
struct PagedIndexerKeys {
    const std::uint8_t* pages = nullptr;     // [page_count][8448]
    const std::int32_t* table = nullptr;     // [sequences][table_width]
    const std::int32_t* contexts = nullptr;  // [sequences]
    long page_count = 0;
    long table_width = 0;
    int next_n = 1;  // or 2
};

inline constexpr int kIndexerKeys = 64;       // of a tile, and of a page
inline constexpr int kIndexerWarpgroups = 2;  // of a block, each with tiles of its own
inline constexpr int kIndexerThreads = kIndexerWarpgroups * 128;
inline constexpr int kIndexerStages = 4;  // tiles of a warpgroup
inline constexpr int kIndexerTileBytes = kIndexerKeys * kIndexChannels;
inline constexpr int kIndexerRound = 128;              // columns of a product: heads of some queries
inline constexpr int kIndexerBlocks = 2 * 132;         // that fill the card: two on each of an H200's multiprocessors
inline constexpr long kIndexerMostColumns = 1L << 23;  // top-k's

inline void require_valid(const IndexerTask& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("indexer: " + what); };
    if (task.heads != 64 && task.heads != 32)
        refuse(std::to_string(task.heads) + " heads; expected 64 or 32, as the models have");
    if (task.rows < 0 || task.rows > 0x7FFFFFFFL || task.columns < 0 || task.columns > kIndexerMostColumns)
        refuse(std::to_string(task.rows) + " rows of " + std::to_string(task.columns) +
               " positions; expected at most 2^31 - 1 rows of at most 2^23");
    if (task.splits < 0 || task.splits > 65535)
        refuse(std::to_string(task.splits) + " splits; expected at most 65535, or 0 for as many as fill the card");
    if (task.rows == 0 || task.columns == 0) return;
    if (!task.queries || !task.weights || (!task.logits && !task.maxima))
        refuse("a buffer is missing (queries, weights, and logits or maxima are needed)");
    if (reinterpret_cast<std::uintptr_t>(task.queries) % 16 != 0) refuse("queries must be aligned to 16 bytes");
    if (task.logits && task.stride < task.columns) refuse("rows of logits overlap");
    if (task.maxima && (!task.counts || task.maxima_stride * 8 < task.columns))
        refuse("maxima need counts, and room for columns / 8 of each row");
}

inline void require_valid(const IndexerTask& task, const IndexerKeys& keys) {
    require_valid(task);
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("indexer: " + what); };
    if (keys.keys != task.columns)
        refuse(std::to_string(keys.keys) + " keys; expected one a column, and there are " +
               std::to_string(task.columns));
    if (task.maxima && keys.begin) refuse("maxima are of all positions below the end: expected no begin");
    if (task.rows == 0 || task.columns == 0) return;
    if (!keys.codes || !keys.scales) refuse("a buffer is missing (codes and scales of the keys are needed)");
    if (reinterpret_cast<std::uintptr_t>(keys.codes) % 16 != 0 ||
        reinterpret_cast<std::uintptr_t>(keys.scales) % 16 != 0)
        refuse("keys and their scales must be aligned to 16 bytes");
}

inline void require_valid(const IndexerTask& task, const PagedIndexerKeys& keys) {
    require_valid(task);
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("indexer: " + what); };
    if (keys.next_n != 1 && keys.next_n != 2)
        refuse(std::to_string(keys.next_n) + " new tokens a sequence; expected 1 or 2");
    if (task.rows % keys.next_n != 0)
        refuse(std::to_string(task.rows) + " rows; expected " + std::to_string(keys.next_n) + " of each sequence");
    if (keys.table_width < 0 || keys.page_count < 0 || task.columns > keys.table_width * kPageEntries)
        refuse("a table of " + std::to_string(keys.table_width) + " pages a sequence has no room for " +
               std::to_string(task.columns) + " positions");
    if (task.rows == 0 || task.columns == 0) return;
    if (!keys.table || !keys.contexts || (!keys.pages && keys.page_count > 0))
        refuse("a buffer is missing (pages, table and contexts are needed)");
    if (reinterpret_cast<std::uintptr_t>(keys.pages) % 16 != 0) refuse("pages must be aligned to 16 bytes");
}

// How many blocks share a row: the fewest that leave hardly a multiprocessor idle at the end, as long as each warpgroup
// has a few tiles.
inline IndexerTask planned(IndexerTask task, long query_blocks) {
    if (task.splits > 0) return task;
    const long most = ceil_div(task.columns, kIndexerKeys * kIndexerWarpgroups * kIndexerStages);
    double best = 0;
    for (long splits = 1; splits <= most && splits <= kIndexerBlocks && best < 0.95; ++splits) {
        const long blocks = query_blocks * splits, waves = ceil_div(blocks, kIndexerBlocks);
        const double busy = double(blocks) / double(waves * kIndexerBlocks);
        if (busy > best) best = busy, task.splits = int(splits);
    }
    return task;
}

}  // namespace strata
