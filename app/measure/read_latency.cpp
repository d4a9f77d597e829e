#include "app/measure/read_latency.hpp"

#include <algorithm>
#include <bit>

namespace strata {

namespace {

constexpr std::size_t kLineWords = 64 / sizeof(std::uint64_t);
constexpr std::size_t kMostLines = 1 << 24;  // 1 GiB: far beyond caches, and laid out in a second

// A shuffle of [0, 2^bits) that needs no memory: each of its steps can be undone.
std::uint64_t shuffled(std::uint64_t value, int bits) {
    const std::uint64_t mask = (1ULL << bits) - 1;
    const int half = (bits + 1) / 2;
    for (const std::uint64_t odd : {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb}) {
        value = (value * odd) & mask;
        value ^= value >> half;
    }
    return value;
}

}  // namespace

Measurement read_latency(const MappedTable& table, const Effort& effort) {
    const std::span<std::uint64_t> words = table.words();
    const std::size_t lines = std::bit_floor(std::min(words.size() / kLineWords, kMostLines));
    const int bits = std::bit_width(lines) - 1;
    // One circle through all lines: the i-th visited names the next.
    for (std::uint64_t i = 0; i < lines; ++i)
        words[shuffled(i, bits) * kLineWords] = shuffled((i + 1) % lines, bits) * kLineWords;
    std::uint64_t at = shuffled(0, bits) * kLineWords;
    const Repeats latency = repeated(effort, [&] {
        return 1e9 / rate_over(effort.sample, [&] {
                   constexpr int kSteps = 512;
                   for (int step = 0; step < kSteps; ++step) at = words[at];
                   keep(at);
                   return double(kSteps);
               });
    });
    return {.what = "host/read_latency",
            .parameters = {{"pages", to_string(table.pages())}, {"table_bytes", double(lines * 64)}},
            .metrics = {{"latency_ns", latency}},
            .repeats = effort.repeats};
}

}  // namespace strata
