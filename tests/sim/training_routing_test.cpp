// A training step whose tokens do not spread evenly over experts, and whose exchanges are flows on a fabric.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "hwmodels/input_error.hpp"
#include "sim/training/training_engine.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

class TrainingRouting : public ::testing::Test {
protected:
    static Inputs& inputs() {
        static Inputs all(kRoot);
        return all;
    }
    // Eight layers of V3, five of them with experts, on 16 ranks of two nodes in two stages.
    static std::string text(const std::string& routing, const std::string& exchange = "deepep",
                            const std::string& fabric = "", const std::string& schedule = "1f1b") {
        return fmt::format(
            "{{model: {{preset: v3, layers: 8, attention: {{pattern: [{{kinds: [mla], times: 8}}]}}}}, "
            "platform: {{system: HGX_H800, nodes: 4{}, accelerator: {{memory: {{capacity: 200 GB}}}}}}, "
            "workload: {{kind: training, sequences: 64, length: 2048, schedule: {}{}}}, "
            "placement: {{dp: 16, ep: 16, pp: 2}}, kernels: {{exchange: {}}}}}",
            fabric, schedule, routing.empty() ? "" : ", routing: " + routing, exchange);
    }
    static Scenario read(const std::string& document) {
        return read_point(document, "s.yaml", kRoot + "/scenarios/models", inputs().catalog());
    }
    static TrainingPlan plan(const std::string& document) {
        const Scenario scenario = read(document);
        return plan_training(scenario, inputs().platform(scenario.platform), inputs().costs(),
                             inputs().exchange_inputs(scenario, micro_batch_of(scenario).tokens()));
    }
    static double step(const std::string& document) {
        return run_training(read(document), inputs()).metrics.at("training.step_s");
    }
    // 2048 x 16 x 8 pairs of a layer, and as many of each of 256 experts.
    static std::string even_record(const ScratchFolder& folder) {
        std::string rows = "layer,step,expert,count\n";
        for (int layer = 3; layer < 8; ++layer)
            for (int expert = 0; expert < 256; ++expert) rows += fmt::format("{},16,{},1024\n", layer, expert);
        return folder.write("even.csv", rows);
    }
};

const char* const kFabric = ", fabric: DeepSeek_H800_2048";

TEST_F(TrainingRouting, step_is_never_faster_with_more_skew) {
    for (const char* schedule : {"1f1b", "dualpipe"})
        for (const auto& [exchange, fabric] : {std::pair("deepep", ""), {"wire", ""}, {"fabric", kFabric}}) {
            const double even = step(text("", exchange, fabric, schedule));
            double before = 0, least = 0;
            for (const char* exponent : {"0", "0.3", "0.6", "1"}) {
                const double now =
                    step(text(fmt::format("{{law: zipf, exponent: {}}}", exponent), exchange, fabric, schedule));
                EXPECT_GE(now, before) << schedule << " " << exchange << " " << exponent;
                if (before == 0) least = now;
                before = now;
            }
            EXPECT_LT(least, 1.1 * even) << schedule << " " << exchange;  // chance, and groups that limit copies
            EXPECT_GT(before, 1.15 * even) << schedule << " " << exchange;
        }
}

// A record in which all experts have as many tokens, over exchanges that do not ask how many ranks a token meets.
TEST_F(TrainingRouting, of_an_even_record_is_what_it_is_without_routing) {
    const ScratchFolder folder;
    const std::string record = fmt::format("{{counts: {}}}", even_record(folder));
    EXPECT_DOUBLE_EQ(step(text(record, "wire")), step(text("", "wire")));
    const strata::Run uneven = run_training(read(text("{law: zipf, exponent: 1}")), inputs());
    EXPECT_DOUBLE_EQ(run_training(read(text(record)), inputs()).metrics.at("moe.straggler_ms"), 0);
    EXPECT_GT(uneven.metrics.at("moe.straggler_ms"), 0);
    EXPECT_EQ(run_training(read(text("")), inputs()).metrics.count("moe.straggler_ms"), 0u);
}

TEST_F(TrainingRouting, layers_stay_where_an_even_step_has_them) {
    EXPECT_EQ(plan(text("{law: zipf, exponent: 1}")).stages, plan(text("")).stages);
}

// On one stage, where no other device can become the fullest.
TEST_F(TrainingRouting, busiest_rank_keeps_more_activations) {
    const auto kept = [](const std::string& routing) {
        std::string document = text(routing);
        document.replace(document.find("pp: 2"), 5, "pp: 1");
        return plan(document).memory.activations.si();
    };
    EXPECT_GT(kept("{law: zipf, exponent: 1}"), 1.05 * kept(""));
}

TEST_F(TrainingRouting, each_layer_waits_for_its_own_busiest_rank) {
    // Skew in one layer with experts alone; 55 layers' exponents are not asked for.
    const TrainingPlan one = plan(text("{law: zipf, exponents: [0, 0, 0, 1, 0, 0, 0, 0]}")),
                       even = plan(text("{law: zipf, exponent: 0}")), all = plan(text("{law: zipf, exponent: 1}"));
    EXPECT_GT(one.straggling, even.straggling);
    EXPECT_LT(one.straggling, 0.5 * all.straggling);
}

TEST_F(TrainingRouting, exchanges_on_a_fabric_are_near_those_that_were_measured) {
    EXPECT_NEAR(step(text("", "fabric", kFabric)) / step(text("")), 1, 0.2);
}

TEST_F(TrainingRouting, a_faster_fabric_never_makes_a_step_slower) {
    const auto at = [&](const char* bandwidth, const char* routing) {
        return step(
            text(routing, "fabric",
                 fmt::format(", fabric: {{part: DeepSeek_H800_2048, scale_out: {{bandwidth: {}}}}}", bandwidth)));
    };
    for (const char* routing : {"", "{law: zipf, exponent: 0.6}"}) {
        EXPECT_LT(at("50 GB/s", routing), at("25 GB/s", routing));
        EXPECT_LE(at("100 GB/s", routing), at("50 GB/s", routing));
    }
}

TEST_F(TrainingRouting, refuses_what_is_not_there) {
    const auto refusal = [](const std::string& document) -> std::string {
        try {
            (void)step(document);
        } catch (const InputError& error) {
            return error.what();
        }
        return "nothing";
    };
    EXPECT_NE(refusal(text("", "fabric")).find("fabric needs a platform.fabric"), std::string::npos);
    EXPECT_NE(refusal(text("{law: zipf}")).find("workload.routing: one of 'exponent' and 'exponents'"),
              std::string::npos);
    EXPECT_NE(refusal(text("{counts: nowhere.csv}")).find("nowhere.csv"), std::string::npos);
}

}  // namespace
}  // namespace strata
