// Serving where tokens do not spread evenly over experts: a step takes the loads that are drawn for it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/serving/serving_engine.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

class ServingRouting : public ::testing::Test {
protected:
    static Inputs& inputs() {
        static Inputs all(kRoot);
        return all;
    }
    // Five layers of V3 with experts, on 16 ranks.
    static std::string text(const std::string& more, const std::string& routing = "",
                            const std::string& exchange = "deepep", const std::string& placement = "{dp: 16, ep: 16}") {
        return fmt::format(
            "{{model: {{preset: v3, layers: 8, attention: {{pattern: [{{kinds: [mla], times: 8}}]}}}}, "
            "platform: {{system: HGX_H200, nodes: 2}}, "
            "workload: {{kind: serving, requests: 200, input: 500, output: {{least: 20, most: 200}}, {}{}}}, {}"
            "kernels: {{exchange: {}}}}}",
            more, routing.empty() ? "" : ", routing: " + routing,
            placement.empty() ? "" : "placement: " + placement + ", ", exchange);
    }
    static Scenario read(const std::string& document) {
        return read_point(document, "s.yaml", kRoot + "/scenarios/models", inputs().catalog());
    }
    static std::map<std::string, double> metrics(const std::string& document) {
        return run_serving(read(document), inputs()).metrics;
    }
};

const std::string kOpen = "rate: 50, concurrency: 256";

TEST_F(ServingRouting, answers_are_never_faster_with_more_skew) {
    for (const std::string& load : {kOpen, std::string("concurrency: 256")}) {
        const auto even = metrics(text(load));
        double ttft = even.at("serving.ttft_ms"), tpot = even.at("serving.tpot_ms");
        for (const char* exponent : {"0", "0.8"}) {
            const auto now = metrics(text(load, fmt::format("{{law: zipf, exponent: {}}}", exponent)));
            EXPECT_GE(now.at("serving.tpot_ms"), tpot) << load << " " << exponent;
            EXPECT_GE(now.at("serving.ttft_ms"), 0.98 * ttft) << load << " " << exponent;
            ttft = now.at("serving.ttft_ms"), tpot = now.at("serving.tpot_ms");
        }
        EXPECT_GT(tpot, 1.05 * even.at("serving.tpot_ms")) << load;
    }
}

// Where a record has as many tokens for each expert, and exchanges do not ask how many ranks a token meets.
TEST_F(ServingRouting, of_an_even_record_is_what_it_is_without_routing) {
    const ScratchFolder folder;
    std::string rows = "layer,step,expert,count\n";
    for (int step = 16; step < 18; ++step)
        for (int layer = 3; layer < 8; ++layer)
            for (int expert = 0; expert < 256; ++expert) rows += fmt::format("{},{},{},7\n", layer, step, expert);
    const std::string record = fmt::format("{{counts: {}}}", folder.write("even.csv", rows));
    // Large batches: an expert of a small one has less than a token, and is then read as often as it has one.
    const std::string load = "concurrency: 256, step_tokens: 4096";
    const auto even = metrics(text(load, "", "wire")), recorded = metrics(text(load, record, "wire"));
    for (const auto& [name, value] : even) EXPECT_NEAR(recorded.at(name), value, 1e-9 * value) << name;
    EXPECT_DOUBLE_EQ(recorded.at("moe.load_max_over_mean"), 1);
    EXPECT_EQ(even.count("moe.load_max_over_mean"), 0u);
}

TEST_F(ServingRouting, steps_take_one_or_another_of_the_drawn_loads) {
    const Scenario scenario = read(text("concurrency: 256", "{law: zipf, exponent: 0.5}"));
    const StepPricing pricing(scenario, inputs(), {.batch = 256, .step_tokens = 8192, .context = 1024}, 0);
    const StepTimes times = pricing.times();
    std::set<double> found, priced;
    for (int step = 0; step < 64; ++step) {
        times.draw(step);
        found.insert(times.decode(256, 256 * 1024).si());
    }
    for (int draw = 0; draw < StepPricing::kDraws; ++draw) {
        Scenario one = scenario;
        one.serving.reset();
        one.workload = {.batch = 256, .context = 1024};
        one.placement.expert_dials.age = draw;
        priced.insert(run_analytic(inputs().program_of(one)).makespan.si());
    }
    EXPECT_EQ(found, priced);
    EXPECT_EQ(found.size(), std::size_t(StepPricing::kDraws));
}

TEST_F(ServingRouting, is_the_same_each_time) {
    const std::string document = text(kOpen, "{law: zipf, exponent: 0.5}");
    EXPECT_EQ(metrics(document), metrics(document));
}

TEST_F(ServingRouting, an_order_that_follows_loads_is_better) {
    const auto tpot = [&](const std::string& experts) {
        return metrics(text("concurrency: 256", "{law: zipf, exponent: 0.7}", "deepep",
                            "{dp: 16, ep: 16, experts: {redundant: 32, learned: 2" + experts + "}}"))
            .at("serving.tpot_ms");
    };
    EXPECT_LT(tpot(", order: eplb_global"), tpot(""));
}

TEST_F(ServingRouting, is_of_both_pools_and_of_drafts) {
    const std::string pools =
        "rate: 50, acceptance: [0.85], pools: {prefill: {placement: {dp: 8, ep: 8}}, "
        "decode: {placement: {dp: 8, ep: 8, experts: {order: eplb}}, concurrency: 128}}";
    const auto even =
                   metrics(text("rate: 50, acceptance: [0.85], pools: {prefill: {placement: {dp: 8, ep: 8}}, decode: "
                                "{placement: {dp: 8, ep: 8}, concurrency: 128}}",
                                "", "deepep", "")),
               skewed = metrics(text(pools, "{law: zipf, exponent: 1}", "deepep", ""));
    // Not of TPOT: a slower prefill pool leaves smaller batches to the other.
    EXPECT_GT(skewed.at("serving.ttft_p50_ms"), even.at("serving.ttft_p50_ms"));
    EXPECT_GT(skewed.at("moe.load_max_over_mean"), 1.2);
}

}  // namespace
}  // namespace strata
