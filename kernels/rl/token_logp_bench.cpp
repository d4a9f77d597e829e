// One reading of BF16 logits, and one reading and writing for the gradient, cold, against the copy of this run.
#include "kernels/rl/grpo.hpp"
#include "kernels/rl/grpo_reference.hpp"
#include "kernels/rl/kernels.hpp"
#include "kernels/rl/logits_bench.hpp"
#include "kernels/rl/token_logp_launch.hpp"

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, bool backward, std::uint64_t seed)
        : logits(random_normal<Bf16>(std::size_t(shape["tokens"] * shape["vocabulary"]), seed, 3)),
          taken(random_integers<std::int32_t>(std::size_t(shape["tokens"]), seed + 1, shape["vocabulary"])),
          slope(random_normal<float>(std::size_t(shape["tokens"]), seed + 2)),
          logp(taken.size()),
          log2_sum(taken.size()),
          gradient(backward ? logits.size() : 0),
          error(std::vector<int>{0}) {
        forward = {.logits = logits.data(),
                   .taken = taken.data(),
                   .logp = logp.data(),
                   .log2_sum = log2_sum.data(),
                   .error = error.data(),
                   .tokens = shape["tokens"],
                   .vocabulary = shape["vocabulary"]};
        if (!backward) return;
        back = {.logits = logits.data(),
                .taken = taken.data(),
                .log2_sum = log2_sum.data(),
                .slope = slope.data(),
                .gradient = gradient.data(),
                .tokens = shape["tokens"],
                .vocabulary = shape["vocabulary"]};
        token_logp(forward, nullptr);
    }
    Buffer<Bf16> logits;
    Buffer<std::int32_t> taken;
    Buffer<float> slope, logp, log2_sum;
    Buffer<Bf16> gradient;
    Buffer<int> error;
    TokenLogpTask<Bf16> forward;
    TokenLogpGradientTask<Bf16> back;
};

// A float sum of 129,280 terms in partial sums of some hundreds: a few units of 2^-24, on a logarithm near 12.
Verdict verify_forward(const Operands& operands) {
    const auto taken = operands.taken.read();
    const auto logp = operands.logp.read();
    std::vector<double> is, should;
    for (const std::int64_t row : rows_to_compare(operands.forward.tokens, 48, 1)) {
        is.push_back(logp[std::size_t(row)]);
        should.push_back(reference::token_logp(row_of(operands.logits, row, operands.forward.vocabulary),
                                               taken[std::size_t(row)], 1));
    }
    is.push_back(operands.error.read()[0]), should.push_back(0);
    return close_to(is, should, 1e-5, 2e-6);
}

Verdict verify_backward(const Operands& operands) {
    const auto taken = operands.taken.read();
    const auto slope = operands.slope.read();
    std::vector<double> is, should;
    for (const std::int64_t row : rows_to_compare(operands.back.tokens, 16, 1)) {
        const auto gradient = reference::token_logp_gradient(row_of(operands.logits, row, operands.back.vocabulary),
                                                             taken[std::size_t(row)], 1, slope[std::size_t(row)]);
        const auto mine = row_of(operands.gradient, row, operands.back.vocabulary);
        is.insert(is.end(), mine.begin(), mine.end());
        should.insert(should.end(), gradient.begin(), gradient.end());
    }
    return close_to(is, should, 1e-12, 0.005);  // half a step of BF16 is 0.4 %
}

Work work_of(const Shape& shape, bool backward) {
    const double tokens = double(shape["tokens"]), vocabulary = double(shape["vocabulary"]);
    return backward ? TokenLogpGradient{.tokens = tokens, .vocabulary = vocabulary}.work()
                    : TokenLogp{.tokens = tokens, .vocabulary = vocabulary}.work();
}

Prepared prepare(const Shape& shape, bool backward, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, backward, seed + 3 * std::uint64_t(set));
    Prepared prepared{.work = work_of(shape, backward)};
    if (backward) {
        prepared.launch = [operands](int set, cudaStream_t stream) {
            token_logp_gradient((*operands)[std::size_t(set)].back, stream);
        };
        prepared.poison = [operands] { operands->front().gradient.poison(); };
        prepared.verify = [operands] { return verify_backward(operands->front()); };
        // Into a buffer of its own: the gradient is verified again after the timing.
        auto copy = std::make_shared<Buffer<Bf16>>(operands->front().logits.size());
        prepared.baselines.push_back(
            {"cudaMemcpy of the logits", [operands, copy](int set, cudaStream_t stream) {
                 const Buffer<Bf16>& from = (*operands)[std::size_t(set)].logits;
                 check_cuda(cudaMemcpyAsync(copy->data(), from.data(), from.bytes(), cudaMemcpyDefault, stream),
                            "copying logits");
             }});
        return prepared;
    }
    prepared.launch = [operands](int set, cudaStream_t stream) {
        token_logp((*operands)[std::size_t(set)].forward, stream);
    };
    prepared.poison = [operands] { operands->front().logp.poison(), operands->front().log2_sum.poison(); };
    prepared.verify = [operands] { return verify_forward(operands->front()); };
    return prepared;
}

Kernel kernel(const std::string& name, const std::string& what, bool backward) {
    return {.name = name,
            .what = what,
            .source = "kernels/rl/token_logp.cu",
            .goal = {.share = 0.88, .text = "facts A13: 3.8 TB/s of 4.3 on an H200"},
            .shapes = logits_shapes(),
            .check_shapes = logits_check_shapes(),
            .prepare = [backward](const Shape& shape, int sets,
                                  std::uint64_t seed) { return prepare(shape, backward, sets, seed); },
            .set_bytes = [backward](const Shape& shape) { return work_of(shape, backward).bytes(); }};
}

}  // namespace

std::vector<Kernel> token_logp_kernels() {
    return {kernel("rl/token-logp", "log p of the taken tokens from BF16 logits, one reading", false),
            kernel("rl/token-logp-gradient", "its gradient with respect to the logits", true)};
}

}  // namespace strata
