// One product of many experts: out[row][n] = sum_k a[row][k] * w[expert of row][n][k]. Rows stand sorted by expert and
// each expert's rows are padded to whole tiles.
#pragma once

#include <algorithm>

#include "kernels/work.hpp"

namespace strata {

struct GroupedGemm {
    double rows = 0;    // (token, expert) pairs on this rank
    double groups = 0;  // experts with at least one row
    double n = 0;
    double k = 0;
    Precision weights = Precision::fp8_block;
    Precision activations = activations_for(weights);  // BF16 or FP8

    constexpr bool in_fp8() const { return activations != Precision::bf16; }
    // Weights of each touched expert are read once. Padding is no work, but it takes time: `padded_rows`.
    constexpr Work work() const {
        return {.flops = Flops(2 * rows * n * k),
                .read = Bytes(rows * k * bytes_per_element(activations) + groups * n * k * bytes_per_element(weights)),
                .written = Bytes(rows * n * 2)};
    }

    // Tiles are 64 rows high (the M of Hopper's wgmma); an expert's last tile is half full on average.
    static constexpr double kTile = 64;
    constexpr double padded_rows() const { return std::max(groups * kTile, rows + groups * (kTile - 1) / 2); }
};

}  // namespace strata
