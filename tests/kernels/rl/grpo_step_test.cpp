// The passes of a GRPO step one after another: what the last one writes must be the slope of the whole loss with
// respect to each logit, by finite differences of the definition in double.
#include <gtest/gtest.h>

#include "kernels/rl/grpo_reference.hpp"
#include "kernels/rl/policy_loss_body.hpp"
#include "kernels/rl/token_logp_body.hpp"
#include "kernels/simt/emulator.hpp"
#include "tests/kernels/rl/logits.hpp"

namespace strata {
namespace {

constexpr long kVocabulary = 10;
constexpr float kTemperature = 0.9f;
const std::vector<int> kTaken{3, 0, 9, 4, 4, 7};
const std::vector<long> kOffsets{0, 2, 6};
const std::vector<float> kAdvantages{1.2f, -0.8f};

reference::PolicyBatch batch_of(const std::vector<std::vector<double>>& rows) {
    reference::PolicyBatch batch{.logp = {},
                                 .old_logp = {-2.1, -3.0, -2.0, -2.2, -2.9, -1.0},
                                 .reference_logp = {-2.5, -2.0, -2.4, -2.0, -3.0, -1.5},
                                 .counted = {true, true, false, true, true, true},
                                 .offsets = kOffsets,
                                 .advantages = {double(kAdvantages[0]), double(kAdvantages[1])}};
    for (std::size_t t = 0; t < rows.size(); ++t)
        batch.logp.push_back(reference::token_logp(rows[t], kTaken[t], double(kTemperature)));
    return batch;
}

std::vector<float> in_float(const std::vector<double>& values) { return {values.begin(), values.end()}; }

TEST(GrpoStep, gradient_is_the_slope_of_the_loss_for_every_logit) {
    const RandomLogits<float> logits(6, kVocabulary, 71, 0.7f);
    std::vector<std::vector<double>> rows;
    for (long t = 0; t < 6; ++t) rows.push_back(logits.row(t));
    const GrpoOptions options{.clip_high = 0.28f, .cap = 3, .kl_weight = 0.1f, .unbiased_kl = true};
    const auto batch = batch_of(rows);
    const auto old_logp = in_float(batch.old_logp), reference_logp = in_float(batch.reference_logp);
    const std::vector<std::uint8_t> counted{1, 1, 0, 1, 1, 1};

    std::vector<float> logp(6), log2_sum(6), losses(6), slopes(6), gradient(60);
    std::vector<SequenceSums> sums(2);
    PolicyTotals totals{};
    int error = 0;
    const TokenLogpTask<float> forward{.logits = logits.at.data(),
                                       .taken = kTaken.data(),
                                       .counted = counted.data(),
                                       .logp = logp.data(),
                                       .log2_sum = log2_sum.data(),
                                       .error = &error,
                                       .tokens = 6,
                                       .vocabulary = kVocabulary,
                                       .temperature = kTemperature};
    const PolicyLossTask loss{.logp = logp.data(),
                              .old_logp = old_logp.data(),
                              .reference_logp = reference_logp.data(),
                              .counted = counted.data(),
                              .offsets = kOffsets.data(),
                              .advantages = kAdvantages.data(),
                              .losses = losses.data(),
                              .slopes = slopes.data(),
                              .sums = sums.data(),
                              .totals = &totals,
                              .error = &error,
                              .tokens = 6,
                              .sequences = 2,
                              .options = options};
    const TokenLogpGradientTask<float> back{.logits = logits.at.data(),
                                            .taken = kTaken.data(),
                                            .log2_sum = log2_sum.data(),
                                            .slope = slopes.data(),
                                            .weight = &totals.weight,
                                            .gradient = gradient.data(),
                                            .tokens = 6,
                                            .vocabulary = kVocabulary,
                                            .temperature = kTemperature};
    emulate(grid_of(forward), ThreadOrder::forward, [&](EmulatedThread& t) { token_logp(t, forward); });
    emulate(grid_of(loss), ThreadOrder::forward, [&](EmulatedThread& t) { policy_loss(t, loss); });
    emulate(totals_grid_of(loss), ThreadOrder::forward, [&](EmulatedThread& t) { policy_totals(t, loss); });
    emulate(grid_of(back), ThreadOrder::forward, [&](EmulatedThread& t) { token_logp_gradient(t, back); });

    EXPECT_EQ(error, 0);
    EXPECT_NEAR(totals.loss, reference::policy_loss(batch, options).loss, 1e-5);
    for (std::size_t t = 0; t < 6; ++t)
        for (std::size_t v = 0; v < kVocabulary; ++v) {
            auto up = rows, down = rows;
            up[t][v] += 1e-6, down[t][v] -= 1e-6;
            const double should = (reference::policy_loss(batch_of(up), options).loss -
                                   reference::policy_loss(batch_of(down), options).loss) /
                                  2e-6;
            EXPECT_NEAR(gradient[t * kVocabulary + v], should, 1e-6) << t << " " << v;
        }
}

}  // namespace
}  // namespace strata
