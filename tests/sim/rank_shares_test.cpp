// What each rank of an expert group gets, and what a scenario says of it.
#include "sim/placement/rank_shares.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/inputs.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

Model v3() {
    Model model = load_model(kRoot + "/scenarios/models/v3.yaml");
    model.layers = 11;  // eight with experts, to be quick
    return model;
}

RankSharesSpec spec(PopularityLaw law, double exponent, ExpertDials experts = {}) {
    RankSharesSpec spec{.experts = experts, .ranks = 64, .ranks_per_node = 8, .tokens = 64 * 128};
    spec.routing.popularity.law = law;
    if (law != PopularityLaw::balanced) spec.routing.popularity.exponents = {exponent};
    return spec;
}

double pairs_of(const std::vector<RankShare>& ranks) {
    double sum = 0;
    for (const RankShare& share : ranks) sum += share.pairs;
    return sum;
}

TEST(RankShares, share_out_every_pair_of_every_layer) {
    const RankShares shares(v3(), spec(PopularityLaw::zipf, 0.8, {.order = ExpertOrder::eplb, .redundant = 64}));
    for (int layer = 3; layer < 11; ++layer) {
        EXPECT_EQ(pairs_of(shares.of_layer(layer)), 64.0 * 128 * 8) << layer;
        for (const RankShare& share : shares.of_layer(layer)) {
            EXPECT_LE(share.touched, 5);  // slots of a rank
            EXPECT_LE(share.copies, std::min(share.pairs, 64.0 * 128) + 1e-9);
        }
    }
    EXPECT_TRUE(shares.of_layer(0).empty());  // dense
}

TEST(RankShares, of_a_balanced_law_differ_by_chance_alone) {
    // A rank has 4 of 256 experts: 1024 of 8192 x 8 pairs on average, binomial with a deviation of about 31. The
    // largest of 64 is some 2.4 deviations above: 1.07.
    const RankShares shares(v3(), spec(PopularityLaw::balanced, 0));
    EXPECT_GT(shares.load_max_over_mean(), 1.04);
    EXPECT_LT(shares.load_max_over_mean(), 1.11);
}

// In linear order rank r holds experts 4 r to 4 r + 3.
TEST(RankShares, two_experts_change_places_by_hand) {
    const RankShares before(v3(), spec(PopularityLaw::zipf, 0.8));
    const ExpertSwap swap{.layer = 5, .experts = {9, 250}, .ranks = {2, 62}};
    const RankShares after(v3(), spec(PopularityLaw::zipf, 0.8, {.swaps = {swap}}));
    EXPECT_EQ(pairs_of(after.of_layer(5)), pairs_of(before.of_layer(5)));
    const auto load = [&](std::size_t expert) { return double(before.loads_of_layer(5)[expert]); };
    EXPECT_EQ(after.of_layer(5)[2].pairs, before.of_layer(5)[2].pairs - load(9) + load(250));
    EXPECT_EQ(after.of_layer(5)[62].pairs, before.of_layer(5)[62].pairs + load(9) - load(250));
    EXPECT_EQ(after.of_layer(6)[2].pairs, before.of_layer(6)[2].pairs);
}

TEST(RankShares, refuses_a_swap_of_an_expert_that_is_not_there) {
    const auto with = [](ExpertSwap swap) { RankShares(v3(), spec(PopularityLaw::zipf, 0.8, {.swaps = {swap}})); };
    EXPECT_THROW(with({.layer = 5, .experts = {9, 250}, .ranks = {3, 62}}), InputError);
    EXPECT_THROW(with({.layer = 0, .experts = {9, 250}, .ranks = {2, 62}}), InputError);  // a dense layer
    EXPECT_THROW(with({.layer = 5, .experts = {9, 250}, .ranks = {2, 64}}), InputError);  // 64 ranks, from 0
}

TEST(RankShares, of_a_skewed_law_are_evened_out_by_copies_of_busy_experts) {
    const auto uneven = [](ExpertOrder order, int redundant) {
        const RankShares shares(v3(), spec(PopularityLaw::zipf, 0.7, {.order = order, .redundant = redundant}));
        return shares.load_max_over_mean();
    };
    const double linear = uneven(ExpertOrder::linear, 0), global = uneven(ExpertOrder::eplb_global, 64),
                 by_node = uneven(ExpertOrder::eplb, 64);
    EXPECT_GT(linear, 2);
    EXPECT_LT(global, 1.2);
    EXPECT_GT(by_node, global);  // groups that stay on one node leave nodes uneven
    EXPECT_LT(by_node, linear);
}

TEST(RankShares, of_an_order_that_has_aged_are_less_even) {
    const auto aged = [](int age) {
        RankSharesSpec of = spec(PopularityLaw::zipf, 0.7, {.order = ExpertOrder::eplb, .redundant = 64, .age = age});
        of.routing.popularity.half_life = 50;
        return RankShares(v3(), of).load_max_over_mean();
    };
    EXPECT_GT(aged(400), 1.3 * aged(0));
}

TEST(RankShares, keep_a_token_on_the_groups_that_its_router_keeps) {
    // Eight groups on eight nodes in linear order: a token's experts are on at most four.
    const RankShares limited(v3(), spec(PopularityLaw::balanced, 0));
    EXPECT_LE(limited.nodes_of_a_token(), 4);
    EXPECT_GT(limited.nodes_of_a_token(), 3);
    Model free = v3();
    free.ffn.router = {};
    // 8 (1 - (7/8)^8) = 5.25 nodes, if experts were drawn with replacement.
    EXPECT_NEAR(RankShares(free, spec(PopularityLaw::balanced, 0)).nodes_of_a_token(), 5.3, 0.2);
}

// Half of the experts have one token of four, the others three: ranks of the latter have 1.5 times the mean, of however
// many tokens the step has.
TEST(RankShares, of_a_record_are_shares_of_the_steps_tokens) {
    const ScratchFolder folder;
    std::string rows = "layer,step,expert,count\n";
    for (int layer = 3; layer < 11; ++layer)
        for (int expert = 0; expert < 256; ++expert)
            rows += std::to_string(layer) + ",16," + std::to_string(expert) + (expert < 128 ? ",1\n" : ",3\n");
    RankSharesSpec recorded = spec(PopularityLaw::balanced, 0);
    recorded.routing.counts_file = folder.write("counts.csv", rows);
    for (const std::int64_t tokens : {64, 8192}) {
        recorded.tokens = tokens;
        const RankShares shares(v3(), recorded);
        EXPECT_NEAR(pairs_of(shares.of_layer(5)), double(tokens) * 8, 1e-6);
        EXPECT_NEAR(shares.load_max_over_mean(), 1.5, 1e-9);
        EXPECT_NEAR(busiest_over_mean(shares.of_layer(5), &RankShare::pairs), 1.5, 1e-9);
    }
    // Of 32 tokens a busy expert is the choice of 1.5, and of none at all by chance.
    recorded.tokens = 32;
    EXPECT_NEAR(RankShares(v3(), recorded).of_layer(5).back().touched / 4, 1 - std::pow(1 - 1.5 / 32, 32), 1e-9);
}

TEST(RankShares, refuse_what_does_not_divide) {
    RankSharesSpec odd = spec(PopularityLaw::balanced, 0);
    odd.ranks = 60;
    EXPECT_THROW(RankShares(v3(), odd), InputError);
}

class RoutedStep : public testing::Test {
protected:
    std::string text(const std::string& workload, const std::string& placement) const {
        return "{model: v3, platform: {system: HGX_H800, nodes: 18}, workload: " + workload +
               ", placement: " + placement + "}";
    }
    strata::Run run(const std::string& document) {
        const Scenario scenario = read_point(document, "s.yaml", kRoot + "/scenarios/models", inputs_.catalog());
        const Program program = inputs_.program_of(scenario);
        return summarise(scenario, inputs_.platform(scenario.platform).machine, program, run_analytic(program), "");
    }
    std::string refusal(const std::string& document) {
        try {
            (void)run(document);
        } catch (const InputError& error) {
            return error.what();
        }
        return "nothing";
    }
    Inputs inputs_{kRoot};
};

TEST_F(RoutedStep, is_slower_the_less_even_tokens_are) {
    const auto tpot = [this](const std::string& routing) {
        return run(text("{kind: decode, batch: 18432, context: 4096" + routing + "}",
                        "{dp: 144, ep: 144, experts: {redundant: 32}}"))
            .metrics.at("decode.tpot_ms");
    };
    const double even = tpot(""), balanced = tpot(", routing: {law: balanced}"),
                 skewed = tpot(", routing: {law: zipf, exponent: 0.5}"),
                 more = tpot(", routing: {law: zipf, exponent: 1}");
    EXPECT_GT(balanced, even);
    EXPECT_LT(balanced, 1.15 * even);  // chance alone
    EXPECT_GT(skewed, 1.1 * balanced);
    EXPECT_GT(more, skewed);
}

TEST_F(RoutedStep, says_how_uneven_and_how_far_spread_tokens_are) {
    const strata::Run skewed =
        run(text("{kind: decode, batch: 18432, context: 4096, routing: {law: zipf, exponent: 0.5}}",
                 "{dp: 144, ep: 144, experts: {redundant: 32, order: eplb}}"));
    EXPECT_GT(skewed.metrics.at("moe.load_max_over_mean"), 1);
    EXPECT_GT(skewed.metrics.at("moe.straggler_ms"), 0);
    EXPECT_LE(skewed.metrics.at("moe.nodes_per_token"), skewed.metrics.at("moe.ranks_per_token"));
    const strata::Run even =
        run(text("{kind: decode, batch: 18432, context: 4096}", "{dp: 144, ep: 144, experts: {redundant: 32}}"));
    EXPECT_EQ(even.metrics.count("moe.straggler_ms"), 0u);
}

// No source speaks of layers that draft: theirs is the same time whatever the skew.
// Steps of other sizes, laws and models leave nothing behind; v4-flash has layers hashed by token.
TEST_F(RoutedStep, is_the_same_whatever_was_asked_for_before) {
    const auto time = [](Inputs& inputs, const std::string& model, const std::string& law, int batch) {
        const std::string document = "{model: " + model + ", platform: {system: HGX_H200, nodes: 2}, workload: " +
                                     "{kind: decode, context: 4096, batch: " + std::to_string(batch) +
                                     ", routing: " + law + "}, placement: {dp: 16, ep: 16}}";
        return run_analytic(
                   inputs.program_of(read_point(document, "s.yaml", kRoot + "/scenarios/models", inputs.catalog())))
            .makespan.si();
    };
    for (const std::string model : {"v3", "v4-flash"})
        for (const std::string law : {"{law: zipf, exponent: 0.5}", "{law: power_density, exponent: 2}"})
            for (const int batch : {512, 1024, 512}) {
                Inputs fresh{kRoot};
                EXPECT_EQ(time(inputs_, model, law, batch), time(fresh, model, law, batch)) << model << law << batch;
            }
}

TEST_F(RoutedStep, drafts_with_even_tokens) {
    const auto tpot = [this](const std::string& more) {
        return run(text("{kind: decode, batch: 18432, context: 4096" + more + "}",
                        "{dp: 144, ep: 144, experts: {redundant: 32}}"))
            .metrics.at("decode.step_ms");
    };
    const std::string draft = ", draft: {tokens: 1, acceptance: 0.8}", skew = ", routing: {law: zipf, exponent: 0.7}";
    EXPECT_GT(tpot(draft + skew), tpot(draft));
    EXPECT_GT(tpot(draft + skew), tpot(skew));
}

TEST_F(RoutedStep, sends_a_prompt_to_fewer_nodes_where_groups_limit_it) {
    const std::string placement = "{dp: 64, ep: 64}";
    const auto bytes = [&](const std::string& routing) {
        return run(text("{kind: prefill, batch: 64, prompt: 4096" + routing + "}", placement))
            .metrics.at("network.scale_out_ms");
    };
    EXPECT_LT(bytes(", routing: {law: balanced}"), 0.85 * bytes(""));
}

TEST_F(RoutedStep, refuses_what_does_not_fit) {
    const std::string decode = "{kind: decode, batch: 18432, context: 4096, routing: ";
    const std::string placement = "{dp: 144, ep: 144, experts: {redundant: 32}}";
    EXPECT_NE(refusal(text(decode + "{law: balanced}}", "{dp: 144, ep: 144}")).find("placement.experts.redundant"),
              std::string::npos);
    EXPECT_NE(refusal(text(decode + "{law: zipf}}", placement)).find("one of 'exponent' and 'exponents'"),
              std::string::npos);
    EXPECT_NE(refusal(text(decode + "{law: balanced, exponent: 1}}", placement)).find("neither"), std::string::npos);
    EXPECT_NE(refusal(text("{kind: decode, batch: 18432}", "{dp: 144, ep: 144, experts: {redundant: 32, order: eplb}}"))
                  .find("needs a workload.routing"),
              std::string::npos);
    EXPECT_NE(refusal(text(decode + "{counts: nowhere.csv}}", placement)).find("nowhere.csv"), std::string::npos);
    EXPECT_NE(
        refusal("{model: dense-4b, platform: {system: HGX_H200}, workload: {kind: decode, routing: {law: balanced}}}")
            .find("'dense-4b' has none"),
        std::string::npos);
}

TEST_F(RoutedStep, takes_a_trace_and_names_the_line_that_is_wrong) {
    const ScratchFolder folder;
    const std::string file = folder.write("counts.csv", "layer,step,expert,count\n3,0,17,four\n");
    EXPECT_NE(refusal(text("{kind: decode, batch: 18432, routing: {counts: " + file + "}}",
                           "{dp: 144, ep: 144, experts: {redundant: 32}}"))
                  .find("counts.csv:2"),
              std::string::npos);
}

}  // namespace
}  // namespace strata
