#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/placement/cache_hits.hpp"
#include "sim/placement/memory.hpp"
#include "sim/study/study.hpp"
#include "sim/workload/build_program.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/shipped_catalog.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

constexpr const char* kPlain =
    "model: v4.1-flash\n"
    "platform: {system: HGX_H200}\n"
    "workload: {kind: decode, batch: 512, context: 8192}\n"
    "placement: {dp: 8, ep: 8, engram: {tier: host}}\n";

// A scenario file that lives as long as the test.
class Given {
public:
    explicit Given(const std::string& text) : file_(folder_.write("scenario.yaml", text)) {}
    const std::string& file() const { return file_; }

private:
    ScratchFolder folder_;
    std::string file_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
}

std::string error_of(const std::string& text) {
    const Given given(text);
    try {
        const ScenarioFile file(given.file(), kModels);
        return run_study(file, {.root = kRoot}).results.front().reason;  // empty if it ran
    } catch (const InputError& error) {
        return error.what();
    }
}

Run run_of(const std::string& text) {
    const Given given(text);
    return run_study(ScenarioFile(given.file(), kModels), {.root = kRoot}).results.front().run.value();
}

#define EXPECT_ERROR(text, part) EXPECT_NE(error_of(text).find(part), std::string::npos) << error_of(text)

TEST(Scenario, runs_as_it_stands) { EXPECT_EQ(error_of(kPlain), ""); }

TEST(Point, is_set_by_scalars_as_they_stand_and_by_lists) {
    const Given given(kPlain);
    const Point point = ScenarioFile(given.file(), kModels).first_point();
    const Point changed =
        with_settings(point, {{"platform.system", "a: b"}, {"placement.experts.swaps", "[{layer: 3}]"}});
    EXPECT_EQ(changed.document["platform"]["system"].Scalar(), "a: b");
    EXPECT_EQ(changed.document["placement"]["experts"]["swaps"][0]["layer"].as<int>(), 3);
    EXPECT_FALSE(point.document["placement"]["experts"]);  // the other stays as it was
}

TEST(Scenario, names_an_unknown_field_model_and_system_with_the_nearest) {
    EXPECT_ERROR(replaced(kPlain, "workload:", "worklod:"), ":3:1: worklod: unknown field; did you mean 'workload'?");
    EXPECT_ERROR(replaced(kPlain, "v4.1-flash", "v4.1-flush"), "Did you mean 'v4.1-flash'?");
    EXPECT_ERROR(replaced(kPlain, "HGX_H200", "CloudMatrix38"), "did you mean 'CloudMatrix384'?");
    EXPECT_ERROR(replaced(kPlain, "tier: host", "tier: hots"), "expected one of hbm, host, cxl, nvme, found 'hots'");
}

TEST(Scenario, reports_several_errors_in_one_go) {
    const std::string error = error_of(replaced(replaced(kPlain, "batch: 512", "batch: many"), "dp: 8", "dp: 0"));
    EXPECT_NE(error.find("workload.batch: expected a number, found 'many'"), std::string::npos) << error;
    EXPECT_NE(error.find("placement.dp: expected a count of at least 1, found 0"), std::string::npos);
}

TEST(Scenario, refuses_a_missing_file_and_broken_yaml) {
    EXPECT_THROW(ScenarioFile("no/such.yaml", kModels), InputError);
    EXPECT_ERROR("model: [v3\n", "broken YAML");
}

TEST(Scenario, refuses_axes_without_values_and_sweeps_beyond_ten_million_points) {
    EXPECT_ERROR(std::string(kPlain) + "axes: [{path: workload.batch, values: []}]\n", "at least one value");
    const std::string wide = "{path: workload.batch, linear: {from: 1, to: 9, steps: 4000}}";
    EXPECT_ERROR(std::string(kPlain) + "axes: [" + wide + ", " + wide + "]\n", "at most 10^7 points, found 16000000");
}

TEST(Scenario, refuses_an_assertion_on_an_unknown_metric) {
    EXPECT_ERROR(std::string(kPlain) + "assertions: [decode.tpot <= 20]\n", "did you mean 'decode.tpot_ms'?");
}

TEST(Scenario, expands_axes_with_the_last_varying_fastest_and_zips_together) {
    const Given given(std::string(kPlain) +
                      "axes:\n  - {path: workload.batch, values: [64, 128]}\n"
                      "  - zip: [{path: placement.dp, values: [4, 8]}, {path: placement.ep, values: [4, 8]}]\n");
    const auto points = ScenarioFile(given.file(), kModels).points();
    ASSERT_EQ(points.size(), 4u);
    EXPECT_EQ(points[1].settings, (std::vector<std::pair<std::string, std::string>>{
                                      {"workload.batch", "64"}, {"placement.dp", "8"}, {"placement.ep", "8"}}));
}

TEST(Scenario, takes_an_override_from_the_command_line) {
    const Given given(kPlain);
    const ScenarioFile file(given.file(), kModels, {"workload.batch=64", "model.rho=0.9"});
    const Scenario scenario = file.read(file.points().front(), shipped_catalog());
    EXPECT_DOUBLE_EQ(scenario.workload.batch, 64);
    EXPECT_DOUBLE_EQ(scenario.rho, 0.9);
}

TEST(Scenario, keeps_the_place_of_an_error_at_its_line_its_axis_or_its_override) {
    EXPECT_ERROR(replaced(kPlain, "batch: 512", "batch: many"), ":3:33: workload.batch: expected a number");
    EXPECT_ERROR(replaced(kPlain, "dp: 8", "dpp: 8"), ":4:13: placement.dpp: unknown field");
    EXPECT_ERROR(replaced(kPlain, "model: v4.1-flash", "model: {preset: v3, hiden: 8}"), ":1:21: model.hiden: unknown");
    const std::string axis = "axes:\n  - {path: platform.nvme.bandwidth, values: [14 GB/s, 28]}\n";
    EXPECT_ERROR(kPlain + axis, ":6:5: platform.nvme.bandwidth: expected a bandwidth such as '64 GB/s', found '28'");
    const Given given(kPlain);
    const ScenarioFile file(given.file(), kModels, {"workload.batch=many"});
    try {
        file.read(file.points().front(), shipped_catalog());
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "--set workload.batch=many: workload.batch: expected a number, found 'many'");
    }
}

TEST(Platform, numbers_are_axes_and_move_the_result) {
    const Given given(std::string(kPlain) +
                      "axes:\n  - {path: platform.accelerator, values: [H200_SXM, H100_SXM]}\n"
                      "  - {path: platform.accelerator.memory.bandwidth, values: [4.8 TB/s, 9.6 TB/s]}\n");
    const ScenarioFile file(given.file(), kModels);
    const Study study = run_study(file, {.root = kRoot});
    ASSERT_EQ(study.results.size(), 4u);
    const auto time = [&](std::size_t i) { return study.results[i].run.value().metrics.at("decode.tpot_ms"); };
    EXPECT_LT(time(1), 0.9 * time(0));
    // The second axis sets a number of the part that the first one names.
    EXPECT_EQ(file.read(file.points()[3], shipped_catalog()).platform.accelerator.name, "H100_SXM (modified)");
    EXPECT_EQ(study.results[1].run->share_of_compute.count("interpolated"), 0u);  // not the card that was measured
}

TEST(Platform, gives_what_the_catalogue_does_not_know) {
    // CloudMatrix384 comes without host memory: 203 GB of tables fit once it is given, and drives still do not exist.
    const std::string host =
        "platform: {system: CloudMatrix384, host: {memory_capacity: 4 TB, memory_units: 16}, host_memory: DDR5_4800, "
        "host_link: PCIe4_x16}\n";
    const std::string text = replaced(kPlain, "platform: {system: HGX_H200}\n", host);
    EXPECT_EQ(error_of(text), "");
    EXPECT_ERROR(replaced(text, "tier: host", "tier: nvme"), "CloudMatrix384.nvme is null");
}

TEST(Placement, refuses_what_does_not_fit_with_the_numbers) {
    // One card would have to hold 510 GB of v4.1-flash.
    EXPECT_ERROR(replaced(kPlain, "dp: 8, ep: 8", "dp: 1, ep: 1"),
                 "expected at most 141.0 GB in HBM of one accelerator of HGX_H200, found");
    EXPECT_ERROR(replaced(kPlain, "dp: 8", "dp: 16"), "at most 8 ranks");
    EXPECT_ERROR(replaced(kPlain, "ep: 8", "ep: 3"), "a divisor of tp x cp x dp = 8, found 3");
    EXPECT_ERROR(replaced(kPlain, "dp: 8, ep: 8", "cp: 2, dp: 4, ep: 8"), "1 outside prefill");
}

TEST(Placement, in_pipeline_stages_takes_no_less_than_each_token_through_all_layers) {
    // Half of the layers a rank: half of the weights and of the cache; a token passes both stages.
    const std::string two = replaced(kPlain, "dp: 8, ep: 8", "dp: 4, ep: 4, pp: 2");
    const std::string four = replaced(kPlain, "dp: 8, ep: 8", "dp: 4, ep: 4");
    const double alone = run_of(replaced(four, "batch: 512", "batch: 256")).metrics.at("decode.tpot_ms");
    EXPECT_GE(run_of(two).metrics.at("decode.tpot_ms"), alone);
    EXPECT_NEAR(run_of(two).metrics.at("memory.hbm_gb") / run_of(four).metrics.at("memory.hbm_gb"), 0.5, 0.01);
    EXPECT_ERROR(replaced(kPlain, "dp: 8, ep: 8", "dp: 1, ep: 1, pp: 64"), "at most 8 ranks");
    EXPECT_ERROR(replaced(two, "batch: 512", "batch: 4"),
                 "at least one sequence for each of dp x pp x micro_batches = 8");
}

TEST(Placement, micro_batches_hide_exchanges_between_nodes) {
    const std::string wide =
        "model: v3\nplatform: {system: HGX_H800, nodes: 4}\nworkload: {kind: decode, batch: 4096, context: 4096}\n"
        "placement: {dp: 32, ep: 32}\n";
    const double one = run_of(wide).metrics.at("decode.tpot_ms");
    const double two = run_of(replaced(wide, "ep: 32", "ep: 32, micro_batches: 2")).metrics.at("decode.tpot_ms");
    EXPECT_LT(two, one);
}

TEST(Placement, below_hbm_frees_memory_and_costs_time) {
    const auto near = run_of(kPlain);
    const auto experts = run_of(replaced(kPlain, "ep: 8", "ep: 8, experts: {tier: host}"));
    const auto cache = run_of(replaced(kPlain, "ep: 8", "ep: 8, kv: {tier: host}"));
    EXPECT_LT(experts.metrics.at("memory.hbm_gb"), near.metrics.at("memory.hbm_gb"));
    EXPECT_LT(cache.metrics.at("memory.hbm_gb"), near.metrics.at("memory.hbm_gb"));
    // All experts of a rank, 36.1 GB, over its PCIe link at 52 GB/s at each step: 694 ms.
    EXPECT_GT(experts.metrics.at("decode.tpot_ms"), 694);
    EXPECT_GT(cache.metrics.at("decode.tpot_ms"), near.metrics.at("decode.tpot_ms"));
}

TEST(Kernels, that_send_while_they_compute_are_never_slower_than_their_parts) {
    const double apart = run_of(kPlain).metrics.at("moe.layer_us");
    const double together = run_of(std::string(kPlain) + "kernels: {experts: mega}\n").metrics.at("moe.layer_us");
    EXPECT_LT(together, apart);
    EXPECT_GT(run_of(std::string(kPlain) + "kernels: {experts: fused}\n").metrics.at("moe.layer_us"), 0);
}

TEST(Placement, names_the_null_number_that_it_needs) {
    const std::string text =
        replaced(replaced(replaced(kPlain, "HGX_H200", "CloudMatrix384"), "v4.1-flash", "v3"), "512", "64");
    EXPECT_EQ(error_of(replaced(text, "tier: host", "tier: hbm")), "");  // v3 has no Engram, its products run in BF16
    EXPECT_ERROR(replaced(kPlain, "HGX_H200", "CloudMatrix384"), "CloudMatrix384.host.memory_capacity is null");
}

TEST(Engram, prefetch_from_the_host_is_hidden_and_a_synchronous_fetch_from_nvme_is_not) {
    const double hidden = run_of(kPlain).metrics.at("engram.stall_ms");
    const std::string nvme = replaced(kPlain, "tier: host", "tier: nvme, fetch: synchronous");
    EXPECT_LT(hidden, 0.001);
    // Each of two layers: 512 tokens x 24 pages over 26.4 M reads/s = 465 us, and 92 us of latency.
    EXPECT_NEAR(run_of(nvme).metrics.at("engram.stall_ms"), 2 * (0.4655 + 0.092), 0.01);
}

TEST(Engram, a_fetch_says_what_it_asks_of_each_part_on_its_way) {
    const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    const Platform platform = platform_of(platform_spec(shipped_catalog(), "HGX_H200"));
    const auto fetch_of = [&](const std::string& text, Lane lane) {
        const Given given(text);
        const ScenarioFile file(given.file(), kModels);
        const Program program = build_program(file.read(file.points().front(), shipped_catalog()), platform, costs);
        return *std::find_if(program.tasks.begin(), program.tasks.end(), [&](const Task& t) { return t.lane == lane; });
    };
    // 64 tokens of a rank x 24 rows of 264 B: two completions a row, so 312 B on a link whose rate is that of 280 B for
    // 256 B of payload.
    const Task host = fetch_of(kPlain, Lane::host_fetch);
    EXPECT_DOUBLE_EQ(host.moved.si(), 64 * 24 * 264);
    EXPECT_NEAR(host.on_link / host.moved, (264.0 + 2 * 24) / 264 * 256 / 280, 1e-12);
    EXPECT_EQ(host.requests, 0);
    // A drive reads a page of 4096 B for each row.
    const Task nvme = fetch_of(replaced(kPlain, "tier: host", "tier: nvme"), Lane::nvme_fetch);
    EXPECT_DOUBLE_EQ(nvme.requests, 64 * 24);
    EXPECT_DOUBLE_EQ(nvme.moved.si(), 64 * 24 * 4096);
    EXPECT_EQ(nvme.on_link, nvme.moved);
    EXPECT_DOUBLE_EQ((nvme.duration - nvme.latency).si(), evenly_shared_fetch(nvme, platform.machine, 8).si());
}

TEST(Engram, the_slowest_part_of_the_way_decides_a_shared_fetch) {
    Machine machine;
    machine.host_link = 50.0_GBps;
    machine.host_memory = 200.0_GBps;
    machine.nvme = 100.0_GBps;
    machine.nvme_iops = 1e6;
    const Task host{.name = "rows", .lane = Lane::host_fetch, .moved = 1.0_GB, .on_link = 2.0_GB};
    EXPECT_NEAR(to_ms(evenly_shared_fetch(host, machine, 1)), 40, 1e-9);   // 2 GB over the link
    EXPECT_NEAR(to_ms(evenly_shared_fetch(host, machine, 16)), 80, 1e-9);  // 1 GB at a sixteenth of the memory
    const Task nvme{.name = "pages", .lane = Lane::nvme_fetch, .moved = 1.0_GB, .on_link = 1.0_GB, .requests = 1e5};
    EXPECT_NEAR(to_ms(evenly_shared_fetch(nvme, machine, 1)), 100, 1e-9);  // 0.1 M reads at 1 M/s
}

TEST(Engram, hot_rows_shorten_a_fetch_as_zipf_says) {
    EXPECT_DOUBLE_EQ(zipf_hit_rate(0, 1000, 1), 0);
    EXPECT_DOUBLE_EQ(zipf_hit_rate(1000, 1000, 1), 1);
    EXPECT_NEAR(zipf_hit_rate(250, 1000, 0), 0.25, 0.001);  // uniform
    double some = 0, all = 0;
    for (int i = 1; i <= 100000; ++i) {
        all += 1.0 / i;
        if (i <= 1000) some += 1.0 / i;
    }
    EXPECT_NEAR(zipf_hit_rate(1000, 100000, 1), some / all, 0.01);
}

TEST(Physics, a_step_is_never_faster_than_its_weights_stream) {
    // 13 GB would be read at batch 1; here every expert is touched: all weights of a rank at 4.8 TB/s.
    const Given given(kPlain);
    const ScenarioFile file(given.file(), kModels);
    const Scenario scenario = file.read(file.points().front(), shipped_catalog());
    const auto run = run_study(file, {.root = kRoot}).results.front().run.value();
    const MemoryUse use = memory_use(scenario, 8);
    EXPECT_GE(run.metrics.at("decode.tpot_ms") * 1e-3, use.experts / 4800.0_GBps / Seconds(1));
    for (const double busy : run.utilisation) EXPECT_LE(busy, 1 + 1e-12);
}

TEST(StepTime, accounts_for_all_time_of_the_compute_lane_by_component) {
    const Given given(kPlain);
    const auto run = run_study(ScenarioFile(given.file(), kModels), {.root = kRoot}).results.front().run.value();
    double kernels = 0, exchange = 0;
    for (const auto& [name, time] : run.components) {
        kernels += time.kernels();
        exchange += time.exchange;
    }
    const double step = run.metrics.at("decode.tpot_ms");
    EXPECT_NEAR(kernels / step, run.utilisation[static_cast<std::size_t>(Lane::compute)], 1e-9);
    EXPECT_GE(exchange, run.metrics.at("network.scale_up_ms"));  // latency included
    // 64 tokens of a rank touch nearly all of 384 experts: reading them is most of the step.
    EXPECT_GT(run.components.at("experts").memory, 0.4 * step);
    EXPECT_EQ(run.bottleneck, "memory");
}

TEST(StepTime, is_known_from_somewhere_and_only_once) {
    const auto shares = run_of(kPlain).share_of_compute;
    double sum = 0;
    for (const auto& [origin, share] : shares) sum += share;
    EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(Study, gives_the_same_numbers_twice) { EXPECT_EQ(run_of(kPlain).metrics, run_of(kPlain).metrics); }

}  // namespace
}  // namespace strata
