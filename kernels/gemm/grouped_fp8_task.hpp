// What a grouped product of FP8 matrices is given: out[row][n] = sum over blocks of 128 along K of
//   a_scale(row, block) * b_scale(group, n / 128, block) * sum_k a[row][k] * b[group of row][n][k]
// with E4M3 elements, FP32 scales and a BF16 result. Rows come in one of two layouts:
//   contiguous: the rows of the groups one after the other, each group's beginning at a multiple of 128;
//               group_of_block tells the group of each 128 rows, or -1 for rows that nobody wants. One group alone (a
//               dense product) needs neither.
//   masked:     `rows` places for each group, of which counts[group] are used (decode, where the host does not know).
// Rows beyond a group's are unspecified afterwards.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/elements.hpp"
#include "kernels/simt/grid.hpp"
#include "kernels/simt/portable.hpp"

namespace strata {

inline constexpr int kGroupAlignment = 128;

struct GroupedFp8Task {
    const E4m3* a = nullptr;  // [rows][k]; masked: [groups][rows][k]
    const float* a_scales =
        nullptr;              // [k / 128][scale_rows(rows)], column-major as TMA reads them; masked: of each group
    const E4m3* b = nullptr;  // [groups][n][k]
    const float* b_scales = nullptr;  // [groups][ceil(n / 128)][scale_blocks(k)]
    Bf16* out = nullptr;              // [rows][n]; masked: [groups][rows][n]
    const std::int32_t* group_of_block = nullptr;
    const std::int32_t* counts = nullptr;
    long rows = 0;
    int n = 0;
    int k = 0;
    int groups = 1;
    long rows_expected = 1;  // of a group, where they are masked: chooses the tile, not the result
    int blocks = 132;        // at most: one a multiprocessor of an H100 or H200
};

// Padded to 16 bytes, a's as TMA needs it and b's as cuBLASLt does (BLK128x128_32F).
inline long scale_rows(long rows) { return (rows + 3) / 4 * 4; }
STRATA_HD int scale_blocks(int k) { return (k / 128 + 3) / 4 * 4; }

inline long a_groups(const GroupedFp8Task& task) { return task.counts ? task.groups : 1; }

inline void require_valid(const GroupedFp8Task& task) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("grouped_fp8: " + what); };
    if (task.k < 128 || task.k % 128 != 0)
        refuse("k is " + std::to_string(task.k) + "; expected a positive multiple of 128, the width of a scale");
    if (task.n < 8 || task.n % 8 != 0) refuse("n is " + std::to_string(task.n) + "; expected a positive multiple of 8");
    if (task.rows < 0 || task.groups < 1 || task.groups > 65536)
        refuse(std::to_string(task.rows) + " rows in " + std::to_string(task.groups) +
               " groups; expected no fewer than 0 in 1 to 65536");
    if (task.blocks < 1) refuse(std::to_string(task.blocks) + " blocks to run on");
    if (task.rows == 0) return;
    if (task.counts && task.group_of_block)
        refuse("expected counts (masked) or group_of_block (contiguous), found both");
    if (!task.counts && !task.group_of_block && task.groups > 1)
        refuse("several groups need counts (masked) or group_of_block (contiguous), found neither");
    if (task.group_of_block && task.rows % kGroupAlignment != 0)
        refuse(std::to_string(task.rows) + " rows; groups are aligned to 128, so expected a multiple of that");
    if (!task.a || !task.a_scales || !task.b || !task.b_scales || !task.out) refuse("a tensor is missing");
    if (task.rows * a_groups(task) > (1L << 31) - 1024) refuse("more than 2^31 rows");
}

// How the work is cut. Two warpgroups compute a tile, each 64 rows by `width` columns of it: below each other where
// there are many rows, beside each other where there are few and the weights are what takes time. Blocks of a cluster
// compute tiles beside each other, and each loads a part of the rows of a for all of them: tiles of 128 x 128 that load
// for themselves alone ask 7.8 TB/s of the L2 at 1000 TFLOP/s, those of a cluster of two 5.9 TB/s.
template <int rows_, int width_, int stages_, int cluster_>
struct GroupedFp8Tile {
    static constexpr int kRows = rows_, kWidth = width_, kStages = stages_, kCluster = cluster_;
    static constexpr int kColumns = rows_ == 128 ? width_ : 2 * width_;
    // A stage holds 128 of K: a's rows, b's columns, and the scales of a's rows.
    static constexpr int kStageBytes = (kRows + kColumns) * 128, kScaleBytes = kRows * 4;
    static constexpr int kOutBytes = 64 * kWidth * 2;  // of a warpgroup, on its way out
    static constexpr int kOutAt = kStages * kStageBytes, kScalesAt = kOutAt + 2 * kOutBytes;
    static constexpr int kBarriersAt = kScalesAt + kStages * kScaleBytes, kSharedBytes = kBarriersAt + 2 * kStages * 8;
    static_assert((rows_ == 128 || rows_ == 64) && width_ % 64 == 0 && kSharedBytes <= 227 * 1024);
};

using GroupedFp8Tall = GroupedFp8Tile<128, 128, 5, 2>;
using GroupedFp8Wide = GroupedFp8Tile<64, 128, 4, 1>;
using GroupedFp8Narrow = GroupedFp8Tile<64, 64, 7, 1>;  // too few wide tiles to occupy the card

// How many tiles there are, as far as the host knows.
template <class Tile>
long tiles_of(const GroupedFp8Task& task, Tile) {
    const long down =
        task.counts ? task.groups * ceil_div(task.rows_expected, Tile::kRows) : ceil_div(task.rows, Tile::kRows);
    return down * ceil_div(task.n, Tile::kColumns);
}

// Calls with_tile(a tile): the largest that occupies the card.
template <class WithTile>
auto with_tile_of(const GroupedFp8Task& task, WithTile with_tile) {
    const long rows = task.counts ? task.rows_expected : task.rows / task.groups;
    if (rows > 64 && tiles_of(task, GroupedFp8Tall{}) >= task.blocks) return with_tile(GroupedFp8Tall{});
    if (tiles_of(task, GroupedFp8Wide{}) >= task.blocks) return with_tile(GroupedFp8Wide{});
    return with_tile(GroupedFp8Narrow{});
}

inline constexpr int kGroupedFp8Threads = 384;  // two warpgroups that multiply, one that loads

template <class Tile>
Grid grid_of(const GroupedFp8Task& task, Tile) {
    const long across = ceil_div(task.n, Tile::kColumns * Tile::kCluster);
    const long clusters = a_groups(task) * ceil_div(task.rows, Tile::kRows) * across;
    const long at_once = task.blocks < Tile::kCluster ? 1 : task.blocks / Tile::kCluster;
    return {.blocks = int(clusters < at_once ? clusters : at_once) * Tile::kCluster,
            .threads = kGroupedFp8Threads,
            .cluster = Tile::kCluster,
            .shared_bytes = std::size_t(Tile::kSharedBytes)};
}

}  // namespace strata
