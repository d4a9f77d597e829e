// What the analytic engine says of each part, held against the lanes, the bytes of tasks and the machine's own rates.
#include "sim/result/resources.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/result/run_json.hpp"
#include "sim/workload/inputs.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// v4.1-flash on an 8x H200 node with more set: its Program and what came of it.
struct Step {
    explicit Step(const std::vector<std::string>& set) {
        const YAML::Node document = YAML::Load(
            "{model: v4.1-flash, platform: {system: HGX_H200}, placement: {dp: 8, ep: 8}, "
            "workload: {kind: decode, batch: 512, context: 8192}}");
        const ScenarioFile file("test", document, kRoot + "/scenarios/models", set);
        const Scenario scenario = file.read(file.points().front(), inputs.catalog());
        program = inputs.program_of(scenario);
        machine = inputs.platform(scenario.platform).machine;
        run = summarise(scenario, machine, program, run_analytic(program), "analytic");
    }
    const ResourceUse* find(const std::string& name) const {
        const auto found = std::find_if(run.resources.begin(), run.resources.end(),
                                        [&](const ResourceUse& use) { return use.name == name; });
        return found == run.resources.end() ? nullptr : &*found;
    }
    Inputs inputs{kRoot};
    Program program;
    Machine machine;
    Run run;
};

TEST(Resources, of_a_step_carry_the_bytes_of_its_tasks) {
    const Step step({"placement.engram.tier=host"});
    Bytes kernels, rows;
    for (const Task& task : step.program.tasks) {
        if (task.lane == Lane::compute) kernels += task.moved;
        if (task.lane == Lane::host_fetch) rows += task.moved;
    }
    EXPECT_GT(rows, Bytes(0));
    EXPECT_EQ(step.find("rank.hbm")->bytes, kernels + rows);    // rows land there
    EXPECT_EQ(step.find("node.host_memory")->bytes, rows * 8);  // of all ranks of the node
    EXPECT_EQ(step.find("node.nvme"), nullptr);
}

TEST(Resources, below_memory_are_the_tiers_own_and_not_a_link_between_ranks) {
    const Step step({"platform.cxl=CXL_expander", "platform.host.cxl_units=8", "placement.engram.tier=cxl"});
    Bytes rows;
    for (const Task& task : step.program.tasks)
        if (task.lane == Lane::cxl_fetch) rows += task.moved;
    EXPECT_GT(rows, Bytes(0));
    ASSERT_TRUE(step.find("node.cxl"));
    EXPECT_EQ(step.find("node.cxl")->bytes, rows * 8);
    EXPECT_EQ(step.find("rank.scale_out"), nullptr);
}

TEST(Resources, are_busy_as_long_as_their_lane_or_their_bytes_take) {
    const Step step({"placement.engram.tier=host"});
    const double step_s = step.run.metrics.at("decode.tpot_ms") / 1e3;
    EXPECT_NEAR(step.find("rank.scale_up")->busy, step.run.utilisation[static_cast<std::size_t>(Lane::scale_up)], 1e-9);
    EXPECT_NEAR(step.find("rank.hbm")->busy, step.find("rank.hbm")->bytes / step.machine.memory / Seconds(step_s),
                1e-12);
    EXPECT_EQ(step.find("rank.scale_out"), nullptr);  // one node
}

TEST(Resources, are_never_busier_than_the_step_is_long) {
    for (const char* tier : {"hbm", "host", "nvme"})
        for (const char* workload :
             {"{kind: decode, batch: 64, context: 1024}", "{kind: prefill, batch: 32, prompt: 4096}"}) {
            const Step step({fmt::format("placement.engram.tier={}", tier), fmt::format("workload={}", workload)});
            EXPECT_GE(step.run.resources.size(), 3u);
            for (const ResourceUse& use : step.run.resources) {
                EXPECT_GT(use.busy, 0) << use.name;
                EXPECT_LE(use.busy, 1 + 1e-9) << use.name << " " << tier << " " << workload;
            }
        }
}

TEST(Resources, go_through_json_and_back) {
    const Step step({"placement.engram.tier=nvme"});
    const auto back = run_from_json(to_json(step.run));
    ASSERT_EQ(back.resources.size(), step.run.resources.size());
    EXPECT_EQ(to_json(back).dump(), to_json(step.run).dump());
    EXPECT_FALSE(step.run.absent.empty());  // what an H200 costs to buy
    EXPECT_EQ(back.absent, step.run.absent);
}

}  // namespace
}  // namespace strata
