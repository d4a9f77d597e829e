// Routing as the models do it, and the update of the bias: both are bound by latency at the batches of decoding.
#include <memory>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/moe/bias_update.hpp"
#include "kernels/moe/bias_update_launch.hpp"
#include "kernels/moe/bias_update_reference.hpp"
#include "kernels/moe/kernels.hpp"
#include "kernels/moe/random_routes.hpp"
#include "kernels/moe/router.hpp"
#include "kernels/moe/router_launch.hpp"
#include "kernels/moe/router_reference.hpp"

namespace strata {

namespace {

struct Variant {
    std::string name;
    std::string what;
    Score score;
    int groups;
    int kept_groups;
    float scale;
    bool hashed;
};

constexpr long kVocabulary = 129280;

struct RouterOperands {
    RouterOperands(const Shape& shape, const Variant& variant, std::uint64_t seed)
        : logits(random_normal<float>(std::size_t(shape["tokens"] * shape["experts"]), seed, 2)),
          bias(random_normal<float>(std::size_t(shape["experts"]), seed + 1, 0.1f)),
          experts(std::size_t(shape["tokens"] * shape["top_k"])),
          weights(experts.size()),
          fault(std::vector<std::int32_t>{0}),
          table(variant.hashed ? random_routes(kVocabulary, int(shape["top_k"]), int(shape["experts"]), seed)
                               : std::vector<std::int32_t>(1)),
          ids(random_integers<std::int32_t>(std::size_t(shape["tokens"]), seed + 2, kVocabulary)) {
        task = {.logits = logits.data(),
                .bias = bias.data(),
                .experts_out = experts.data(),
                .weights = weights.data(),
                .fault = fault.data(),
                .tokens = shape["tokens"],
                .experts = int(shape["experts"]),
                .k = int(shape["top_k"]),
                .score = variant.score,
                .groups = variant.groups,
                .kept_groups = variant.kept_groups,
                .scale = variant.scale};
        if (variant.hashed) task.table = table.data(), task.token_ids = ids.data(), task.vocabulary = kVocabulary;
    }
    Buffer<float> logits, bias;
    Buffer<std::int32_t> experts;
    Buffer<float> weights;
    Buffer<std::int32_t> fault, table, ids;
    RouteTask task;
};

reference::Route expected(const RouterOperands& operands, long token) {
    const RouteTask& task = operands.task;
    const std::vector<double> logits =
        in_double(operands.logits.read(std::size_t(token * task.experts), std::size_t(task.experts)));
    if (!task.table)
        return reference::route(logits, in_double(operands.bias.read()), task.score, task.k, task.groups,
                                task.kept_groups, task.scale);
    const std::int32_t id = operands.ids.read(std::size_t(token), 1)[0];
    reference::Route route{.experts = operands.table.read(std::size_t(long(id) * task.k), std::size_t(task.k)),
                           .gap = 1};
    route.weights = reference::weights_of(reference::scores_of(logits, task.score), route.experts, task.scale);
    return route;
}

// Experts to the bit wherever no two that decide are nearer than 1e-6, which float cannot tell apart (facts B9).
Verdict verify(const RouterOperands& operands) {
    const RouteTask& task = operands.task;
    std::vector<std::int32_t> experts, experts_should;
    std::vector<double> weights, weights_should;
    for (const std::int64_t token : rows_to_compare(task.tokens, 256, 1)) {
        const reference::Route should = expected(operands, token);
        if (should.gap < 1e-6) continue;
        const std::size_t at = std::size_t(token * task.k), k = std::size_t(task.k);
        for (const std::int32_t expert : operands.experts.read(at, k)) experts.push_back(expert);
        for (const float weight : operands.weights.read(at, k)) weights.push_back(weight);
        experts_should.insert(experts_should.end(), should.experts.begin(), should.experts.end());
        weights_should.insert(weights_should.end(), should.weights.begin(), should.weights.end());
    }
    return all_of({same_bits(experts, experts_should), close_to(weights, weights_should, 1e-6, 1e-5),
                   same_bits(operands.fault.read(), {0})});
}

Work work_of(const Shape& shape) {
    return Router{
        .tokens = double(shape["tokens"]), .experts = double(shape["experts"]), .top_k = double(shape["top_k"])}
        .work();
}

Prepared prepare(const Shape& shape, const Variant& variant, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<RouterOperands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, variant, seed + std::uint64_t(set));
    return {.work = work_of(shape),
            .launch = [operands](int set, cudaStream_t stream) { route((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().experts.poison(), operands->front().weights.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Shape shape_of(std::int64_t tokens, std::int64_t experts, std::int64_t k) {
    return {{"tokens", tokens}, {"experts", experts}, {"top_k", k}};
}

Kernel router(const Variant& variant, const std::vector<ProductionShape>& shapes) {
    const Shape first = shapes.front().shape;
    return {.name = variant.name,
            .what = variant.what,
            .source = "kernels/moe/router.cu",
            .ceiling = Ceiling::none,
            .goal = {.time = Seconds(3e-6),
                     .text = "facts A9, up to 64 tokens; 10 us at 16384. Between events, which an empty launch takes "
                             "2.0 to 2.5 us of"},
            .shapes = shapes,
            .check_shapes = {shape_of(0, first["experts"], first["top_k"]), shape_of(1, first["experts"], 1),
                             shape_of(67, 512, first["top_k"]), shape_of(5, 128, 2)},
            .prepare = [variant](const Shape& shape, int sets,
                                 std::uint64_t seed) { return prepare(shape, variant, sets, seed); },
            .set_bytes = [](const Shape& shape) { return work_of(shape).bytes(); }};
}

struct BiasOperands {
    BiasOperands(const Shape& shape, std::uint64_t seed)
        : counts(random_integers<std::int32_t>(std::size_t(shape["experts"]), seed, 1000)),
          before(random_normal<float>(counts.size(), seed + 1)),
          bias(counts.size()) {
        reset();
        task = {.counts = counts.data(), .bias = bias.data(), .experts = int(shape["experts"])};
    }
    void reset() { bias.write(before.read()); }
    Buffer<std::int32_t> counts;
    Buffer<float> before, bias;
    BiasUpdateTask task;
};

// The bias is updated in place: poisoning sets it back.
Verdict verify(const BiasOperands& operands) {
    return close_to(
        in_double(operands.bias.read()),
        reference::updated_bias(operands.counts.read(), in_double(operands.before.read()), operands.task.speed), 1e-7,
        1e-6);
}

Kernel bias_kernel() {
    const auto work = [](const Shape& shape) { return BiasUpdate{.experts = double(shape["experts"])}.work(); };
    return {
        .name = "moe/bias-update",
        .what = "bias of auxiliary-loss-free balancing from the loads of the experts",
        .source = "kernels/moe/bias_update.cu",
        .ceiling = Ceiling::none,
        .goal = {.time = Seconds(3e-6),
                 .text = "one block: a launch and a trip to memory. Between events, which an empty launch takes 2.0 to "
                         "2.5 us of"},
        .shapes = {{{{"experts", 256}}, "v3 v3.2 v4-flash"}, {{{"experts", 384}}, "v4-pro v4.1-flash"}},
        .check_shapes = {{{"experts", 2}}, {{"experts", 257}}},
        .prepare =
            [work](const Shape& shape, int sets, std::uint64_t seed) {
                auto operands = std::make_shared<std::vector<BiasOperands>>();
                for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
                return Prepared{
                    .work = work(shape),
                    .launch = [operands](int set, cudaStream_t stream) { update_bias((*operands)[set].task, stream); },
                    .poison = [operands] { operands->front().reset(); },
                    .verify = [operands] { return verify(operands->front()); }};
            },
        .set_bytes = [work](const Shape& shape) { return work(shape).bytes(); }};
}

}  // namespace

std::vector<Kernel> router_kernels() {
    return {
        router({"moe/router-sigmoid-groups", "sigmoid, 4 of 8 groups by their two best, then the best k",
                Score::sigmoid, 8, 4, 2.5f, false},
               {{shape_of(64, 256, 8), "v3 v3.2"},
                {shape_of(4096, 256, 8), "v3 v3.2"},
                {shape_of(16384, 256, 8), "v3 v3.2"}}),
        router(
            {"moe/router-sqrt-softplus", "sqrt(softplus), the best k of all", Score::sqrt_softplus, 1, 1, 1.5f, false},
            {{shape_of(64, 256, 6), "v4-flash"},
             {shape_of(64, 384, 6), "v4-pro v4.1-flash"},
             {shape_of(16384, 256, 6), "v4-flash"},
             {shape_of(16384, 384, 6), "v4-pro v4.1-flash"}}),
        router({"moe/router-softmax", "softmax over the experts, the best k of all", Score::softmax, 1, 1, 1, false},
               {{shape_of(4096, 256, 8), "none: V2's score at V3's size"}}),
        router({"moe/router-hash", "experts from a table by token id, weights by sqrt(softplus)", Score::sqrt_softplus,
                1, 1, 1.5f, true},
               {{shape_of(64, 256, 6), "v4-flash"},
                {shape_of(64, 384, 6), "v4-pro"},
                {shape_of(16384, 384, 6), "v4-pro"}}),
        bias_kernel()};
}

}  // namespace strata
