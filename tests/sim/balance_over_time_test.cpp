// Loads of a layer over time: biases converge, placements age.
#include "sim/study/balance.hpp"
#include "tests/source_root.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

class Balance : public testing::Test {
protected:
    BalanceOverTime run(const std::string& model, const std::string& routing, const BalanceOptions& options) {
        const std::string document = "{model: " + model +
                                     ", platform: {system: HGX_H200, nodes: 8}, workload: {kind: decode, batch: 8192, "
                                     "context: 4096" +
                                     routing + "}, placement: {dp: 64, ep: 64, experts: {redundant: 64}}}";
        const Scenario scenario = read_point(document, "s.yaml", kRoot + "/scenarios/models", inputs_.catalog());
        return balance_over_time(scenario, inputs_, options);
    }
    Inputs inputs_{kRoot};
};

// Without group limits, which take a sample of tokens at each step.
const std::string kFree = "{preset: v3, ffn: {router: {groups: 1, kept: 1}}}";
const std::string kDrifting = ", routing: {law: zipf, exponent: 0.5, half_life: 50}";

TEST_F(Balance, of_biases_converges_and_of_a_placement_ages) {
    const BalanceOverTime balance =
        run(kFree, ", routing: {law: zipf, exponent: 0.5, half_life: 400}", {.steps = 120, .bias_rate = 0.01});
    const BalanceAt &first = balance.steps.front(), &last = balance.steps.back();
    EXPECT_EQ(balance.layer, 3);
    EXPECT_GT(first.biased_experts, 5);
    EXPECT_LT(last.biased_experts, 2.5);  // the popularity that they follow moves on
    EXPECT_GT(last.experts, 5);           // which nothing else evens out
    EXPECT_LT(first.placed_ranks, 1.1);   // made for these very loads
    EXPECT_GT(last.placed_ranks, first.placed_ranks + 0.1);
}

TEST_F(Balance, is_of_steps_of_one_shape) {
    const Scenario serving = read_point(
        "{model: v3, platform: {system: HGX_H200}, placement: {dp: 8, ep: 8}, workload: {kind: serving, routing: {law: "
        "balanced}}}",
        "s.yaml", kRoot + "/scenarios/models", inputs_.catalog());
    EXPECT_THROW(balance_over_time(serving, inputs_, {}), InputError);
}

TEST_F(Balance, placing_anew_computes_less_and_moves_more_the_more_often_it_is_done) {
    const BalanceOverTime balance = run(kFree, kDrifting, {.steps = 120, .periods = {0, 60, 10}});
    ASSERT_EQ(balance.replacements.size(), 3u);
    const auto &never = balance.replacements[0], &seldom = balance.replacements[1], &often = balance.replacements[2];
    EXPECT_EQ(never.moved, Bytes(0));
    EXPECT_LT(seldom.computing, never.computing);
    EXPECT_LT(often.computing, seldom.computing);
    EXPECT_GT(often.moved, seldom.moved);
    for (const ReplacementOutcome& one : balance.replacements) EXPECT_GE(one.computing, one.balanced);
}

TEST_F(Balance, is_refused_where_there_is_no_router_to_balance) {
    EXPECT_THROW(run(kFree, "", {.steps = 2}), InputError);
    EXPECT_THROW(run(kFree, kDrifting, {.layer = 2, .steps = 2}), InputError);       // dense
    EXPECT_THROW(run("v4-flash", kDrifting, {.layer = 0, .steps = 2}), InputError);  // hashed
}

}  // namespace
}  // namespace strata
