// How a problem of latent attention is divided over blocks: units (queries with the same keys) x tiles of 64 of their
// rows x splits of their keys.
#pragma once

#include "kernels/attention/latent_queries.hpp"

namespace strata {

template <class Task>
STRATA_HD long row_tiles(const Task& task) {
    return ceil_div(task.rows(), kLatentRows);
}

template <class Task>
Task planned(Task task) {
    const long tiles = std::max(1L, ceil_div(task.most_slots(), kLatentSlots));
    int& splits = task.queries.splits;
    if (splits == 0) splits = task.max_logits() ? 1 : splits_for(task.units() * row_tiles(task), tiles);
    // The same for all units: where keys are few, the last splits have nothing to do.
    task.queries.tiles_a_split = int(ceil_div(tiles, splits));
    return task;
}

template <class Task>
Grid grid_of(const Task& task) {
    const std::size_t panels = std::size_t(layout_of(task.format).dim / 64);
    const long blocks = task.units() * row_tiles(task) * task.queries.splits;
    if (blocks > 0x7FFFFFFFL) throw std::invalid_argument("latent attention: more blocks than a grid has");
    return {.blocks = int(blocks),
            .threads = latent_threads(task.format),
            // Queries and two tiles of keys; the weights of a tile; what the warpgroups tell each other.
            .shared_bytes = (panels * 3 + 1) * 8192 + 1024};
}

inline constexpr int kCombineThreads = 128;

template <class Task>
Grid combine_grid_of(const Task& task) {
    return {.blocks = int(task.queries.tokens * task.queries.heads), .threads = kCombineThreads};
}

}  // namespace strata
