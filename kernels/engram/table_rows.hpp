// What the benches of rows share: a table with random bytes, and ids as they are asked for.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <random>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/engram/engram_gather_reference.hpp"

namespace strata {

// Filled on the GPU, in pinned memory over the bus. Pinning gigabytes takes seconds: what is pinned once is kept for
// the next shape, and never freed, because CUDA may be gone before the last one is.
inline std::shared_ptr<Buffer<std::uint8_t>> random_bytes(std::size_t bytes, Where where, std::uint64_t seed) {
    static auto& pinned = *new std::map<std::pair<std::size_t, std::uint64_t>, std::shared_ptr<Buffer<std::uint8_t>>>;
    const auto kept = pinned.find({bytes, seed});
    if (where == Where::pinned && kept != pinned.end()) return kept->second;
    auto table = std::make_shared<Buffer<std::uint8_t>>(bytes, where);
    fill_bytes(table->data(), table->bytes(), seed);
    check_cuda(cudaDeviceSynchronize(), "filling a table");
    if (where == Where::pinned) pinned[{bytes, seed}] = table;
    return table;
}

// All sets of operands share one.
inline std::shared_ptr<Buffer<std::uint8_t>> random_table(std::int64_t rows, Where where, std::uint64_t seed) {
    return random_bytes(std::size_t(rows) * kEngramRowStride, where, seed);
}

// Uniform, or such that the k-th most frequent row is used about 1 / k as often as the first (Zipf with exponent 1;
// v4.md 1.6: "small fraction of patterns accounts for vast majority of accesses", without a number): the rank is
// rows^u with u uniform, and ranks are strewn over the table by a multiplication.
inline std::vector<std::int32_t> random_row_ids(std::size_t count, std::int64_t rows, bool zipf, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::int32_t> ids(count);
    for (std::int32_t& id : ids) {
        const double unit = double(random() >> 11) * 0x1p-53;
        const auto rank = zipf ? std::uint64_t(std::pow(double(rows), unit)) - 1 : std::uint64_t(unit * double(rows));
        id = std::int32_t(zipf ? rank * 2'654'435'761u % std::uint64_t(rows) : rank);
    }
    return ids;
}

// Rows of the two planes, some of them, against the table; stored_row(id) is a row of it, of 272 bytes.
template <class StoredRow>
Verdict same_rows(std::int64_t table_rows, StoredRow stored_row, const std::vector<std::int32_t>& ids,
                  const Buffer<std::uint8_t>& codes, const Buffer<std::uint8_t>& scales) {
    std::vector<std::uint8_t> is, should;
    for (const std::int64_t row : rows_to_compare(std::int64_t(ids.size()), 512, 1)) {
        const std::int64_t id = ids[std::size_t(row)];
        const bool there = id >= 0 && id < table_rows;
        const std::vector<std::uint8_t> stored = there ? stored_row(id) : std::vector<std::uint8_t>{};
        const auto expected = reference::engram_gather(stored, {there ? 0 : -1});
        const auto row_codes = codes.read(std::size_t(row) * kEngramRowWidth, kEngramRowWidth);
        const auto row_scales = scales.read(std::size_t(row) * kEngramRowScales, kEngramRowScales);
        is.insert(is.end(), row_codes.begin(), row_codes.end());
        is.insert(is.end(), row_scales.begin(), row_scales.end());
        should.insert(should.end(), expected.codes.begin(), expected.codes.end());
        should.insert(should.end(), expected.scales.begin(), expected.scales.end());
    }
    return same_bits(is, should);
}

inline Verdict same_rows(const Buffer<std::uint8_t>& table, const std::vector<std::int32_t>& ids,
                         const Buffer<std::uint8_t>& codes, const Buffer<std::uint8_t>& scales) {
    const auto stored_row = [&](std::int64_t id) {
        return table.read(std::size_t(id) * kEngramRowStride, kEngramRowStride);
    };
    return same_rows(std::int64_t(table.size()) / kEngramRowStride, stored_row, ids, codes, scales);
}

}  // namespace strata
