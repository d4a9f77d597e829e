#include "app/measure/stream_read.hpp"

namespace strata {

namespace {

constexpr std::size_t kChunkWords = (1 << 20) / sizeof(std::uint64_t);  // between looks at the clock

std::uint64_t sum_of(std::span<const std::uint64_t> words) {
    std::uint64_t sum = 0;
    for (const std::uint64_t word : words) sum += word;
    return sum;
}

}  // namespace

Measurement stream_read(const MappedTable& table, int threads, const Effort& effort) {
    const std::size_t slice = table.words().size() / static_cast<std::size_t>(threads) / kChunkWords * kChunkWords;
    std::vector<std::size_t> next(static_cast<std::size_t>(threads));  // goes on where the last repeat ended
    const Repeats bandwidth = repeated(effort, [&] {
        return rate_together(threads, [&](int thread) {
            const auto number = static_cast<std::size_t>(thread);
            const std::span<const std::uint64_t> words = table.words().subspan(number * slice, slice);
            std::size_t at = next[number];
            const double rate = rate_over(effort.sample, [&] {
                keep(sum_of(words.subspan(at, kChunkWords)));
                at = at + kChunkWords < slice ? at + kChunkWords : 0;
                return double(kChunkWords * sizeof(std::uint64_t));
            });
            next[number] = at;
            return rate / 1e9;
        });
    });
    return {.what = "host/stream_read",
            .parameters = {{"threads", double(threads)},
                           {"pages", to_string(table.pages())},
                           {"table_bytes", double(table.bytes())}},
            .metrics = {{"bandwidth_GBps", bandwidth}},
            .repeats = effort.repeats};
}

}  // namespace strata
