// The order by expert at the batches of decoding and of prefill.
#include <memory>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/moe/align.hpp"
#include "kernels/moe/align_launch.hpp"
#include "kernels/moe/align_reference.hpp"
#include "kernels/moe/kernels.hpp"
#include "kernels/moe/random_routes.hpp"

namespace strata {

namespace {

constexpr int kTile = 128;

long slots_of(const Shape& shape) { return slots_for(shape["tokens"] * shape["top_k"], int(shape["experts"]), kTile); }

struct Operands {
    Operands(const Shape& shape, std::uint64_t seed)
        : experts_of_pairs(random_routes(shape["tokens"], int(shape["top_k"]), int(shape["experts"]), seed, 100)),
          experts(experts_of_pairs),
          counts(std::size_t(shape["experts"])),
          offsets(counts.size() + 1),
          pair_of_slot(std::size_t(slots_of(shape))),
          slot_of_pair(experts_of_pairs.size()),
          expert_of_tile(pair_of_slot.size() / kTile) {
        task = {.expert_of_pair = experts.data(),
                .counts = counts.data(),
                .offsets = offsets.data(),
                .pair_of_slot = pair_of_slot.data(),
                .slot_of_pair = slot_of_pair.data(),
                .expert_of_tile = expert_of_tile.data(),
                .pairs = long(experts_of_pairs.size()),
                .slots = long(pair_of_slot.size()),
                .experts = int(shape["experts"]),
                .tile = kTile};
    }
    void poison() {
        for (Buffer<std::int32_t>* each : {&counts, &offsets, &pair_of_slot, &slot_of_pair, &expert_of_tile})
            each->poison();
    }
    std::vector<std::int32_t> experts_of_pairs;
    Buffer<std::int32_t> experts, counts, offsets, pair_of_slot, slot_of_pair, expert_of_tile;
    AlignTask task;
};

Verdict verify(const Operands& operands) {
    const auto should =
        reference::align(operands.experts_of_pairs, 0, operands.task.experts, kTile, operands.task.slots);
    return all_of({same_bits(operands.counts.read(), should.counts), same_bits(operands.offsets.read(), should.offsets),
                   same_bits(operands.slot_of_pair.read(), should.slot_of_pair),
                   same_bits(operands.pair_of_slot.read(), should.pair_of_slot),
                   same_bits(operands.expert_of_tile.read(), should.expert_of_tile)});
}

Work work_of(const Shape& shape) {
    return AlignPairs{.pairs = double(shape["tokens"] * shape["top_k"]), .slots = double(slots_of(shape))}.work();
}

Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
    return {.work = work_of(shape),
            .launch = [operands](int set, cudaStream_t stream) { align((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Shape shape_of(std::int64_t tokens, std::int64_t experts, std::int64_t k) {
    return {{"tokens", tokens}, {"experts", experts}, {"top_k", k}};
}

}  // namespace

std::vector<Kernel> align_kernels() {
    return {{.name = "moe/align",
             .what = "counts, offsets padded to 128 rows, and a stable order of (token, expert) pairs by expert",
             .source = "kernels/moe/align.cu",
             .ceiling = Ceiling::none,
             .goal = {.time = Seconds(8e-6), .text = "facts A9, at 4096 tokens"},
             .shapes = {{shape_of(4096, 256, 8), "v3 v3.2"},
                        {shape_of(4096, 384, 6), "v4-pro v4.1-flash"},
                        {shape_of(4096, 256, 6), "v4-flash"},
                        {shape_of(64, 256, 8), "v3 v3.2"},
                        {shape_of(16384, 256, 8), "v3 v3.2"}},
             .check_shapes = {shape_of(0, 256, 8), shape_of(1, 8, 1), shape_of(513, 8, 8), shape_of(3000, 1024, 3),
                              shape_of(9001, 32, 8)},
             .prepare = prepare,
             .set_bytes = [](const Shape& shape) { return work_of(shape).bytes(); }}};
}

}  // namespace strata
