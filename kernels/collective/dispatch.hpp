// What a rank does before and after experts of other ranks compute: it packs each token once for every rank that holds
// one of its experts, and adds up what comes back (DeepSeek-V3, arXiv 2412.19437, section 3.2).
#pragma once

#include "kernels/work.hpp"

namespace strata {

struct DispatchPack {
    double tokens = 0;
    double hidden = 0;
    double copies = 0;             // rows sent, of all tokens
    double bytes_per_element = 2;  // BF16; E4M3 with a scale for 128: 1 + 4 / 128

    // Experts and weights of a row are small beside it and are not counted.
    constexpr Work work() const {
        return {.flops = Flops(0),
                .read = Bytes(tokens * hidden * 2),
                .written = Bytes(copies * hidden * bytes_per_element)};
    }
};

struct DispatchLayout {
    double pairs = 0;

    // Experts are read; the rank of each pair, and then its row, are written, and each row is told its pair and rank.
    constexpr Work work() const { return {.flops = Flops(0), .read = Bytes(pairs * 8), .written = Bytes(pairs * 16)}; }
};

}  // namespace strata
