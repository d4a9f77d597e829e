// GRPO's loss from known log p, which latency bounds, and a whole step: logits to log p, loss, and gradient.
#include <algorithm>
#include <cmath>

#include "kernels/bench/in_double.hpp"
#include "kernels/rl/grpo_reference.hpp"
#include "kernels/rl/kernels.hpp"
#include "kernels/rl/logits_bench.hpp"
#include "kernels/rl/policy_loss_launch.hpp"
#include "kernels/rl/token_logp_launch.hpp"

namespace strata {

namespace {

constexpr long kGroup = 8;

std::vector<long> even_offsets(long tokens, long sequences) {
    std::vector<long> offsets;
    for (long i = 0; i <= sequences; ++i) offsets.push_back(tokens * i / sequences);
    return offsets;
}

// vocabulary 0: only the loss, from random log p.
struct Operands {
    Operands(const Shape& shape, long width, std::uint64_t seed)
        : offsets(even_offsets(shape["tokens"], shape["sequences"])),
          rewards(random_normal<float>(std::size_t(shape["sequences"]), seed)),
          advantages(rewards.size()),
          old_logp(random_normal<float>(std::size_t(shape["tokens"]), seed + 1, 0.3f, width ? -14.0f : -2.0f)),
          reference_logp(random_normal<float>(old_logp.size(), seed + 2, 0.3f, width ? -14.0f : -2.0f)),
          logp(random_normal<float>(old_logp.size(), seed + 3, 0.3f, -2)),
          losses(old_logp.size()),
          slopes(old_logp.size()),
          log2_sum(old_logp.size()),
          sums(rewards.size()),
          totals(1),
          error(std::vector<int>{0}),
          logits(random_normal<Bf16>(std::size_t(shape["tokens"] * width), seed + 4, 2)),
          gradient(logits.size()),
          taken(random_integers<std::int32_t>(old_logp.size(), seed + 5, width ? width : 1)) {
        group = {.rewards = rewards.data(),
                 .advantages = advantages.data(),
                 .groups = shape["sequences"] / kGroup,
                 .size = kGroup};
        loss = {.logp = logp.data(),
                .old_logp = old_logp.data(),
                .reference_logp = reference_logp.data(),
                .offsets = offsets.data(),
                .advantages = advantages.data(),
                .losses = losses.data(),
                .slopes = slopes.data(),
                .sums = sums.data(),
                .totals = totals.data(),
                .error = error.data(),
                .tokens = shape["tokens"],
                .sequences = shape["sequences"]};
        forward = {.logits = logits.data(),
                   .taken = taken.data(),
                   .logp = logp.data(),
                   .log2_sum = log2_sum.data(),
                   .error = error.data(),
                   .tokens = width ? shape["tokens"] : 0,
                   .vocabulary = width ? width : 1};
        back = {.logits = logits.data(),
                .taken = taken.data(),
                .log2_sum = log2_sum.data(),
                .slope = slopes.data(),
                .weight = &totals.data()->weight,
                .gradient = gradient.data(),
                .tokens = forward.tokens,
                .vocabulary = forward.vocabulary};
    }
    void launch(cudaStream_t stream) const {
        group_advantage(group, stream);
        token_logp(forward, stream);
        policy_loss(loss, stream);
        token_logp_gradient(back, stream);
    }
    Buffer<long> offsets;
    Buffer<float> rewards, advantages, old_logp, reference_logp, logp, losses, slopes, log2_sum;
    Buffer<SequenceSums> sums;
    Buffer<PolicyTotals> totals;
    Buffer<int> error;
    Buffer<Bf16> logits, gradient;
    Buffer<std::int32_t> taken;
    GroupAdvantageTask group;
    PolicyLossTask loss;
    TokenLogpTask<Bf16> forward;
    TokenLogpGradientTask<Bf16> back;
};

// The slope jumps where clipping begins: which side a ratio is on that float cannot tell from the edge is not a fault.
bool at_an_edge(double ratio, const GrpoOptions& options) {
    const double edges[] = {double(1 - options.clip_low), double(1 + options.clip_high), double(options.cap)};
    return std::ranges::any_of(edges, [&](double edge) { return std::abs(ratio - edge) < 1e-6 * ratio; });
}

// The loss from the log p that the kernels found (those have a bench of their own), then some rows of the gradient.
Verdict verify(const Operands& operands) {
    const auto advantages = reference::group_advantages(in_double(operands.rewards), kGroup, double(1e-4f));
    const auto logp = in_double(operands.logp), old_logp = in_double(operands.old_logp);
    auto should = reference::policy_loss({.logp = logp,
                                          .old_logp = old_logp,
                                          .reference_logp = in_double(operands.reference_logp),
                                          .counted = std::vector<bool>(operands.logp.size(), true),
                                          .offsets = operands.offsets.read(),
                                          .advantages = advantages},
                                         operands.loss.options);
    const PolicyTotals totals = operands.totals.read()[0];
    std::vector<double> slopes = in_double(operands.slopes), gradient_is, gradient_should;
    for (std::size_t t = 0; t < slopes.size(); ++t) {
        slopes[t] *= double(totals.weight);
        if (at_an_edge(std::exp(logp[t] - old_logp[t]), operands.loss.options)) should.slopes[t] = slopes[t];
    }
    const auto taken = operands.taken.read();
    const long vocabulary = operands.forward.vocabulary;
    for (const std::int64_t row : rows_to_compare(operands.forward.tokens, 16, 1)) {
        const auto mine = row_of(operands.gradient, row, vocabulary);
        const auto expected = reference::token_logp_gradient(row_of(operands.logits, row, vocabulary),
                                                             taken[std::size_t(row)], 1, slopes[std::size_t(row)]);
        gradient_is.insert(gradient_is.end(), mine.begin(), mine.end());
        gradient_should.insert(gradient_should.end(), expected.begin(), expected.end());
    }
    return all_of(
        {close_to(in_double(operands.advantages), advantages, 1e-5, 1e-5),
         close_to({totals.loss, totals.kl, double(operands.error.read()[0])}, {should.loss, should.kl, 0}, 1e-5, 5e-4),
         close_to(in_double(operands.losses), should.token_losses, 1e-5, 5e-4),
         close_to(slopes, should.slopes, 1e-8, 5e-4), close_to(gradient_is, gradient_should, 1e-14, 0.005)});
}

Work work_of(const Shape& shape, long vocabulary) {
    const double tokens = double(shape["tokens"]);
    Work work = PolicyLoss{.tokens = tokens}.work();
    for (const Work& more : {TokenLogp{.tokens = tokens, .vocabulary = double(vocabulary)}.work(),
                             TokenLogpGradient{.tokens = tokens, .vocabulary = double(vocabulary)}.work()}) {
        work.flops = work.flops + more.flops;
        work.read = work.read + more.read;
        work.written = work.written + more.written;
    }
    return work;
}

Kernel kernel(bool whole_step) {
    const auto width = [whole_step](const Shape& shape) { return whole_step ? shape["vocabulary"] : 0; };
    Kernel kernel{
        .name = whole_step ? "rl/grpo-step" : "rl/policy-loss",
        .what = whole_step ? "logits to log p, GRPO's loss and the gradient: all launches of a step"
                           : "advantages, GRPO's loss and its slopes from known log p",
        .source = "kernels/rl/policy_loss.cu",
        .ceiling = whole_step ? Ceiling::copy : Ceiling::none,
        .prepare = [width](const Shape& shape, int sets, std::uint64_t seed) -> Prepared {
            auto operands = std::make_shared<std::vector<Operands>>();
            for (int set = 0; set < sets; ++set)
                operands->emplace_back(shape, width(shape), seed + 6 * std::uint64_t(set));
            return {
                .work = work_of(shape, width(shape)),
                .launch = [operands](int set, cudaStream_t stream) { (*operands)[std::size_t(set)].launch(stream); },
                .poison =
                    [operands] {
                        Operands& first = operands->front();
                        for (Buffer<float>* one : {&first.advantages, &first.losses, &first.slopes}) one->poison();
                    },
                .verify = [operands] { return verify(operands->front()); }};
        },
        .set_bytes = [width](const Shape& shape) { return work_of(shape, width(shape)).bytes(); }};
    if (whole_step) {
        kernel.goal = {.share = 0.88, .text = "facts A13: 3.8 TB/s of 4.3 on an H200"};
        kernel.shapes = {
            {{{"tokens", 8192}, {"sequences", 8}, {"vocabulary", 129280}}, "v3 v3.2 v4-flash v4-pro v4.1-flash"}};
        kernel.check_shapes = {{{"tokens", 40}, {"sequences", 8}, {"vocabulary", 10003}}};
    } else {
        kernel.shapes = {{{{"tokens", 8192}, {"sequences", 8}}, "v3 v3.2"},
                         {{{"tokens", 524288}, {"sequences", 512}}, "v3 v3.2"}};
        kernel.check_shapes = {{{"tokens", 1000}, {"sequences", 16}}};
    }
    return kernel;
}

}  // namespace

std::vector<Kernel> policy_loss_kernels() { return {kernel(true), kernel(false)}; }

std::vector<Kernel> rl_kernels() {
    std::vector<Kernel> all;
    for (const auto some : {token_logp_kernels, policy_loss_kernels, distillation_kernels})
        for (Kernel& one : some()) all.push_back(std::move(one));
    return all;
}

}  // namespace strata
