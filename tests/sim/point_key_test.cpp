#include "sim/study/point_key.hpp"

#include <gtest/gtest.h>

#include <set>

#include "sim/search/point_plan.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

constexpr const char* kKeyedSweep =
    "name: a sweep\nmodel: v4.1-flash\nplatform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 8192}\nplacement: {dp: 8, ep: 8}\n"
    "axes:\n  - {path: workload.batch, values: [64, 128]}\n  - {path: model.rho, values: [0.5, 1]}\n"
    "  - {path: placement.engram.tier, values: [host, nvme]}\n";

ScenarioFile scenario(const ScratchFolder& folder, const std::string& text, const std::string& name = "s.yaml") {
    return {folder.write(name, text), kModels};
}

TEST(PointKey, is_the_same_for_a_point_and_for_the_settings_that_make_it) {
    const ScratchFolder folder;
    const ScenarioFile file = scenario(folder, kKeyedSweep);
    PointKeys keys(file, "inputs");
    std::set<PointKey> all;
    for (const Point& point : file.points()) {
        EXPECT_EQ(keys.of(point.settings, "analytic"), keys.of(point, "analytic"));
        all.insert(keys.of(point, "analytic"));
    }
    EXPECT_EQ(all.size(), 8u);
}

TEST(PointKey, is_the_same_where_one_axis_lies_below_another) {
    const ScratchFolder folder;
    const ScenarioFile file = scenario(folder,
                                       "model: v3\nplatform: {system: HGX_H200}\nworkload: {kind: decode, batch: 8}\n"
                                       "axes:\n  - {path: platform.accelerator, values: [H100_SXM, B200_SXM]}\n"
                                       "  - {path: platform.accelerator.memory.bandwidth, values: [3 TB/s, 4 TB/s]}\n");
    PointKeys keys(file, "inputs");
    std::set<PointKey> all;
    for (const Point& point : file.points()) {
        EXPECT_EQ(keys.of(point.settings, "analytic"), keys.of(point, "analytic"));
        all.insert(keys.of(point, "analytic"));
    }
    EXPECT_EQ(all.size(), 4u);
}

TEST(PointKey, is_shared_by_studies_that_come_to_the_same_point) {
    const ScratchFolder folder;
    const ScenarioFile sweep = scenario(folder, kKeyedSweep);
    const ScenarioFile alone =
        scenario(folder,
                 "description: the second of its points, fields in another order\n"
                 "placement: {ep: 8, dp: 8, engram: {tier: nvme}}\nmodel: {preset: v4.1-flash, rho: 0.5}\n"
                 "workload: {context: 8192, kind: decode, batch: 64}\nplatform: {system: HGX_H200}\n"
                 "assertions: [decode.tpot_ms <= 20]\n",
                 "alone.yaml");
    PointKeys of_sweep(sweep, "inputs"), of_alone(alone, "inputs");
    EXPECT_EQ(of_sweep.of(sweep.points()[1], "analytic"), of_alone.of(alone.points()[0], "analytic"));
}

TEST(PointKey, differs_by_any_field_the_engine_and_the_inputs) {
    const ScratchFolder folder;
    const ScenarioFile file = scenario(folder, kKeyedSweep);
    const Point point = file.points().front();
    PointKeys keys(file, "inputs"), others(file, "other inputs");
    const std::set<PointKey> all{keys.of(point, "analytic"), keys.of(point, "systemc"), others.of(point, "analytic"),
                                 keys.of(with_settings(point, {{"workload.context", "8193"}}), "analytic"),
                                 keys.of(with_settings(point, {{"workload.prefix_hits", "0"}}), "analytic")};
    EXPECT_EQ(all.size(), 5u);
}

TEST(PointKey, holds_the_content_of_files_that_the_scenario_names) {
    const ScratchFolder folder;
    const std::string text =
        "model: v3\nplatform: {system: HGX_H200, host_memory: {measured: host.jsonl}}\n"
        "workload: {kind: decode, batch: 8}\naxes: [{path: workload.batch, values: [8, 16]}]\n";
    const ScenarioFile file = scenario(folder, text);
    const auto key = [&] { return PointKeys(file, "inputs").of(file.points().front().settings, "analytic"); };
    const PointKey without = key();
    folder.write("host.jsonl", "{}");
    const PointKey first = key();
    EXPECT_NE(first, without);
    folder.write("host.jsonl", "{} ");
    EXPECT_NE(key(), first);
    folder.write("host.jsonl", "{}");
    EXPECT_EQ(key(), first);
}

}  // namespace
}  // namespace strata
