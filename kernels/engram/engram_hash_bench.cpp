// Row ids of both Engram layers of v4.1-flash, prefill and decode, bit for bit against the reference. A decode step is
// `sequences` = `tokens`; what bounds it is latency.
#include <algorithm>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/engram/bench_parts.hpp"
#include "kernels/engram/engram_hash.hpp"
#include "kernels/engram/engram_hash_launch.hpp"
#include "kernels/engram/engram_hash_reference.hpp"

namespace strata {

namespace {

constexpr std::int32_t kVocab = 129'280, kCompressed = 99'092, kPad = 2;
constexpr int kOrders = 3;

// Which compressed id a token has is the tokenizer's; for the kernel any map onto the compressed vocabulary will do.
std::vector<std::int32_t> token_map() {
    std::vector<std::int32_t> map(static_cast<std::size_t>(kVocab));
    for (std::int64_t i = 0; i < kVocab; ++i) map[std::size_t(i)] = std::int32_t(i * 7919 % kCompressed);
    return map;
}

// Sequences of as equal lengths as the tokens allow.
std::vector<std::int32_t> even_starts(std::int64_t tokens, std::int64_t sequences) {
    std::vector<std::int32_t> starts;
    for (std::int64_t i = 0; i <= sequences; ++i) starts.push_back(std::int32_t(tokens * i / sequences));
    return starts;
}

std::vector<std::int32_t> sequences_of(const std::vector<std::int32_t>& starts) {
    std::vector<std::int32_t> of;
    for (std::size_t i = 0; i + 1 < starts.size(); ++i)
        of.insert(of.end(), std::size_t(starts[i + 1] - starts[i]), std::int32_t(i));
    return of;
}

struct Operands {
    Operands(const Shape& shape, std::uint64_t seed)
        : config(engram_hash_layers({})),
          tokens(random_integers<std::int32_t>(std::size_t(shape["tokens"]), seed, kVocab)),
          starts(even_starts(shape["tokens"], shape["sequences"])),
          sequence_of(sequences_of(starts.read())),
          history(random_integers<std::int32_t>(std::size_t(shape["sequences"]) * kOrders, seed + 1, kVocab)),
          compressed(token_map()),
          layers(config),
          rows(config.size() * tokens.size() * kOrders * kEngramHeads),
          error(std::vector<int>{0}) {
        task = {.tokens = tokens.data(),
                .sequence_of = sequence_of.data(),
                .starts = starts.data(),
                .history = history.data(),
                .compressed = compressed.data(),
                .layers = layers.data(),
                .rows = rows.data(),
                .error = error.data(),
                .token_count = shape["tokens"],
                .sequences = int(shape["sequences"]),
                .layer_count = int(config.size()),
                .orders = kOrders,
                .vocab = kVocab,
                .compressed_vocab = kCompressed,
                .pad = kPad};
    }
    std::vector<EngramHashLayer> config;
    Buffer<std::int32_t> tokens, starts, sequence_of, history, compressed;
    Buffer<EngramHashLayer> layers;
    Buffer<std::int32_t> rows;
    Buffer<int> error;
    EngramHashTask task;
};

Verdict verify(const Operands& operands) {
    const auto tokens = operands.tokens.read(), starts = operands.starts.read(), history = operands.history.read();
    const auto map = token_map();
    std::vector<std::int32_t> should;
    for (const EngramHashLayer& layer : operands.config)
        for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
            // The history stands for the sequence so far; the rows of its own tokens are not asked for.
            std::vector<std::int32_t> sequence(history.begin() + std::ptrdiff_t(i * kOrders),
                                               history.begin() + std::ptrdiff_t((i + 1) * kOrders));
            sequence.insert(sequence.end(), tokens.begin() + starts[i], tokens.begin() + starts[i + 1]);
            const auto rows = reference::engram_hash(sequence, map, kPad, layer, kOrders);
            should.insert(should.end(), rows.begin() + kOrders * kOrders * kEngramHeads, rows.end());
        }
    return all_of({same_bits(operands.error.read(), {0}), same_bits(operands.rows.read(), should)});
}

Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 2 * std::uint64_t(set));
    return {
        .work = EngramHash{.tokens = double(shape["tokens"])}.work(),
        .launch = [operands](int set, cudaStream_t stream) { engram_hash((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().rows.poison(); },
        .verify = [operands] { return verify(operands->front()); }};
}

}  // namespace

std::vector<Kernel> engram_hash_kernels() {
    return {
        {.name = "engram/hash",
         .what = "row ids of both Engram layers by n-gram hash",
         .source = "kernels/engram/engram_hash.cu",
         .ceiling = Ceiling::none,
         .goal = {.time = Seconds(10e-6), .text = "a third of the prefetch at 128 tokens, 30 us (facts A8)"},
         .shapes = {{{{"tokens", 8192}, {"sequences", 4}}, "v4.1-flash"},
                    {{{"tokens", 128}, {"sequences", 128}}, "v4.1-flash"},
                    {{{"tokens", 1}, {"sequences", 1}}, "v4.1-flash"}},
         .check_shapes = {{{"tokens", 0}, {"sequences", 1}},
                          {{"tokens", 5}, {"sequences", 2}},
                          {{"tokens", 1000}, {"sequences", 333}}},
         .prepare = prepare,
         .set_bytes = [](const Shape& shape) { return EngramHash{.tokens = double(shape["tokens"])}.work().bytes(); }}};
}

}  // namespace strata
