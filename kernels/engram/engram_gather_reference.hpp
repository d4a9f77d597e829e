// The definition of the gather: codes and scales of row ids[i] of the table, each to a plane of its own; zeros where
// the id is negative or beyond the table.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/engram/engram_row.hpp"

namespace strata::reference {

struct EngramRows {
    std::vector<std::uint8_t> codes;   // [rows][256]
    std::vector<std::uint8_t> scales;  // [rows][8]
};

inline EngramRows engram_gather(const std::vector<std::uint8_t>& table, const std::vector<std::int32_t>& ids) {
    const auto table_rows = std::int64_t(table.size()) / kEngramRowStride;
    EngramRows out;
    for (const std::int32_t id : ids)
        for (int at = 0; at < kEngramRowBytes; ++at) {
            auto& plane = at < kEngramRowWidth ? out.codes : out.scales;
            const bool there = id >= 0 && id < table_rows;
            plane.push_back(there ? table[std::size_t(std::int64_t(id) * kEngramRowStride + at)] : std::uint8_t(0));
        }
    return out;
}

}  // namespace strata::reference
