// Which tiles a cluster of the grouped product computes, one after the other, its blocks beside each other: every warp
// walks through the same ones by itself, as counts and groups are known on the device alone.
#pragma once

#include <cstdint>

#include "kernels/gemm/grouped_fp8_task.hpp"

namespace strata {

struct GroupedFp8Place {
    int group = 0;    // of b
    int a_group = 0;  // of a and out: 0 where the layout is contiguous
    int row = 0;      // first row and column of the tile
    int column = 0;
};

template <class Tile>
class GroupedFp8Schedule {
public:
    STRATA_HD GroupedFp8Schedule(const std::int32_t* group_of_block, const std::int32_t* counts, long rows, int n,
                                 int groups, int block, int blocks)
        : group_of_block_(group_of_block),
          counts_(counts),
          rows_(int(rows)),
          groups_(groups),
          across_(int(ceil_div(n, Tile::kColumns * Tile::kCluster))),
          down_(int(ceil_div(rows, Tile::kRows))),
          rank_(block % Tile::kCluster),
          next_(block / Tile::kCluster),
          clusters_(blocks / Tile::kCluster) {}

    // False once there is none left.
    STRATA_HD bool next(GroupedFp8Place& place) { return counts_ ? next_masked(place) : next_contiguous(place); }

private:
    // Tiles that run at once form a patch about as high as wide, so that they share rows of a and of b in the L2.
    static constexpr int kStrip = 16 / Tile::kCluster;

    // This block's column in a cluster's: where their number is odd it may lie beyond the last.
    STRATA_HD int column_of(int cluster) const { return (cluster * Tile::kCluster + rank_) * Tile::kColumns; }

    STRATA_HD bool next_contiguous(GroupedFp8Place& place) {
        for (; next_ < long(down_) * across_; next_ += clusters_) {
            const int strip = int(next_ / (long(down_) * kStrip));
            const int within = int(next_ - long(strip) * down_ * kStrip);
            const int width = across_ - strip * kStrip < kStrip ? across_ - strip * kStrip : kStrip;
            const int row = within / width * Tile::kRows;
            const int group = group_of_block_ ? group_of_block_[row / kGroupAlignment] : 0;
            if (group < 0 || group >= groups_) continue;
            place = {group, 0, row, column_of(strip * kStrip + within % width)};
            next_ += clusters_;
            return true;
        }
        return false;
    }

    // Down first: tiles that run at once share the weights.
    STRATA_HD bool next_masked(GroupedFp8Place& place) {
        for (; group_ < groups_; ++group_) {
            int count = counts_[group_];
            count = count < 0 ? 0 : count > rows_ ? rows_ : count;
            const int down = (count + Tile::kRows - 1) / Tile::kRows;
            const long within = next_ - before_;
            if (within < long(down) * across_) {
                place = {group_, group_, int(within % down) * Tile::kRows, column_of(int(within / down))};
                next_ += clusters_;
                return true;
            }
            before_ += long(down) * across_;
        }
        return false;
    }

    const std::int32_t* group_of_block_;
    const std::int32_t* counts_;
    int rows_, groups_, across_, down_, rank_;
    long next_;
    int clusters_;
    int group_ = 0;    // masked: where the walk is,
    long before_ = 0;  // and how many tiles lie before it
};

}  // namespace strata
