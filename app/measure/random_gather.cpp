#include "app/measure/random_gather.hpp"

#include <algorithm>
#include <stdexcept>

namespace strata {

namespace {

// Random numbers are made once and shifted by another random number at each pass: making them is not measured, the list
// stays in the first cache, and no pass meets the rows of an earlier one again.
struct RowList {
    explicit RowList(std::uint64_t rows, std::uint64_t seed) : all(rows), random(seed) {
        for (std::uint64_t& row : list) row = random.below(rows);
    }
    std::uint64_t all;
    FastRandom random;
    std::array<std::uint64_t, 2048> list;
};

// Adds up a word in every 32 bytes: as many loads as copying rows with vectors issues, in each line and whatever the
// compiler makes of it. With eight loads a line a core would run out of places to keep them before it ran out of lines.
template <std::size_t kBytes, bool kPrefetch>
std::uint64_t gather(const std::byte* table, const RowList& rows, std::uint64_t shift, std::size_t ahead) {
    const auto address = [&](std::size_t i) {
        const std::uint64_t row = rows.list[i] + shift;
        return table + (row < rows.all ? row : row - rows.all) * kBytes;
    };
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < rows.list.size(); ++i) {
        if constexpr (kPrefetch) {
            const std::byte* const coming = address((i + ahead) % rows.list.size());
            for (std::size_t byte = 0; byte < kBytes; byte += 64) __builtin_prefetch(coming + byte);
        }
        const std::byte* const row = address(i);
        for (std::size_t byte = 0; byte < kBytes; byte += 32)
            sum += *reinterpret_cast<const std::uint64_t*>(row + byte);
    }
    return sum;
}

using Gather = std::uint64_t (*)(const std::byte*, const RowList&, std::uint64_t, std::size_t);

template <std::size_t... kIndex>
Gather gather_of(int row_bytes, bool prefetch, std::index_sequence<kIndex...>) {
    Gather found = nullptr;
    ((kRowBytes[kIndex] == row_bytes
          ? void(found = prefetch ? gather<kRowBytes[kIndex], true> : gather<kRowBytes[kIndex], false>)
          : void()),
     ...);
    if (!found) throw std::logic_error("no gather of this row");
    return found;
}

}  // namespace

Measurement random_gather(const MappedTable& table, int row_bytes, int threads, int prefetch_rows,
                          const Effort& effort) {
    const Gather gather = gather_of(row_bytes, prefetch_rows > 0, std::make_index_sequence<kRowBytes.size()>());
    const auto* const begin = reinterpret_cast<const std::byte*>(table.words().data());
    // FastRandom::below() reaches 2^32 rows: 256 GiB of the smallest.
    const std::uint64_t rows = std::min<std::uint64_t>(table.bytes() / std::size_t(row_bytes), 1ULL << 32);
    std::vector<RowList> lists;
    for (int thread = 0; thread < threads; ++thread) lists.emplace_back(rows, std::uint64_t(thread) + 1);
    const Repeats bandwidth = repeated(effort, [&] {
        return rate_together(threads, [&](int thread) {
            RowList& list = lists[static_cast<std::size_t>(thread)];
            return rate_over(effort.sample, [&] {
                keep(gather(begin, list, list.random.below(rows), std::size_t(prefetch_rows)));
                return double(list.list.size()) * row_bytes / 1e9;
            });
        });
    });
    return {.what = "host/random_gather",
            .parameters = {{"row_bytes", double(row_bytes)},
                           {"threads", double(threads)},
                           {"pages", to_string(table.pages())},
                           {"prefetch_rows", double(prefetch_rows)},
                           {"table_bytes", double(table.bytes())}},
            .metrics = {{"bandwidth_GBps", bandwidth}},
            .repeats = effort.repeats};
}

}  // namespace strata
