// Gathers rows of an Engram table on the host, into the two planes that the GPU's gather writes. Rows are asked for
// some way ahead, for a random row is a cache miss of three to five lines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "kernels/engram/engram_row.hpp"

namespace strata {

struct HostTable {
    const std::uint8_t* rows = nullptr;  // of 272 bytes
    std::int64_t count = 0;
};

inline void gather_on_host(const HostTable& table, const std::int32_t* ids, std::int64_t first, std::int64_t last,
                           std::uint8_t* codes, std::uint8_t* scales) {
    constexpr std::int64_t kAhead = 16;
    const auto row_of = [&](std::int64_t i) -> const std::uint8_t* {
        return ids[i] >= 0 && ids[i] < table.count ? table.rows + std::int64_t(ids[i]) * kEngramRowStride : nullptr;
    };
    for (std::int64_t i = first; i < last; ++i) {
        if (const std::uint8_t* ahead = i + kAhead < last ? row_of(i + kAhead) : nullptr)
            for (int line = 0; line < kEngramRowBytes; line += 64) __builtin_prefetch(ahead + line);
        const std::uint8_t* row = row_of(i);
        if (row) {
            std::memcpy(codes + i * kEngramRowWidth, row, kEngramRowWidth);
            std::memcpy(scales + i * kEngramRowScales, row + kEngramRowWidth, kEngramRowScales);
        } else {
            std::memset(codes + i * kEngramRowWidth, 0, kEngramRowWidth);
            std::memset(scales + i * kEngramRowScales, 0, kEngramRowScales);
        }
    }
}

// In equal parts by `threads` threads; few rows are gathered by the caller alone.
inline void gather_on_host(const HostTable& table, const std::vector<std::int32_t>& ids, std::uint8_t* codes,
                           std::uint8_t* scales, int threads) {
    const auto rows = std::int64_t(ids.size());
    const std::int64_t parts = std::clamp<std::int64_t>(rows / 1024, 1, std::max(threads, 1));
    std::vector<std::jthread> others;
    for (std::int64_t part = 1; part < parts; ++part)
        others.emplace_back([&, part] {
            gather_on_host(table, ids.data(), rows * part / parts, rows * (part + 1) / parts, codes, scales);
        });
    gather_on_host(table, ids.data(), 0, rows / parts, codes, scales);
}

}  // namespace strata
