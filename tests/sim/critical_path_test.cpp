#include "sim/result/critical_path.hpp"

#include <gtest/gtest.h>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/result/run_json.hpp"
#include "sim/workload/inputs.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

Task kernel(Family family, double ms, double low = 1, double high = 1) {
    Task task;
    task.pricing = Pricing::kernel;
    task.family = family;
    task.origin = Origin::interpolated;
    task.duration = Seconds(ms * 1e-3);
    task.low = low;
    task.high = high;
    return task;
}

// 2 ms, then 3 ms beside a fetch of 4 ms, then 1 ms that waits for both: the fetch is on the path, the 3 ms are not.
TEST(CriticalPath, leaves_out_what_is_hidden) {
    Program program;
    const Task fetch{.name = "rows", .lane = Lane::host_fetch, .pricing = Pricing::fetch, .duration = Seconds(4e-3)};
    program.tasks = {kernel(Family::gemm_fp8, 2, 0.5, 2), kernel(Family::moe_experts, 3), fetch,
                     kernel(Family::gemm_fp8, 1, 0.5, 2)};
    program.edges = {{0, 1}, {0, 2}, {1, 3}, {2, 3}};
    const CriticalPath path = critical_path(program, run_analytic(program), "H");
    ASSERT_EQ(path.times.size(), 2u);
    EXPECT_EQ(path.times[0].name(), "fetch (modelled)");
    EXPECT_NEAR(path.times[0].ms, 4, 1e-9);
    EXPECT_EQ(path.times[1].name(), "gemm_fp8 (interpolated)");
    EXPECT_NEAR(path.times[1].ms, 3, 1e-9);
    EXPECT_NEAR(path.times[1].p10_ms, 1.5, 1e-9);
    EXPECT_NEAR(path.times[1].p90_ms, 6, 1e-9);
    EXPECT_NEAR(path.unknown_share(), 4.0 / 7, 1e-9);
}

// A lane is free again before a transfer's latency is over: the next one on it begins then.
TEST(CriticalPath, counts_an_overlapped_latency_once) {
    Program program;
    Task fetch;
    fetch.pricing = Pricing::fetch;
    fetch.lane = Lane::nvme_fetch;
    fetch.duration = Seconds(3e-3);
    fetch.latency = Seconds(1e-3);
    program.tasks = {fetch, fetch};
    const CriticalPath path = critical_path(program, run_analytic(program), "H");
    EXPECT_NEAR(path.total_ms(), 5, 1e-9);
}

// Of real steps, whatever runs beside what.
TEST(CriticalPath, is_as_long_as_the_step_and_survives_its_JSON) {
    Inputs inputs(kRoot);
    for (const char* more : {"{dp: 8, ep: 8, micro_batches: 2, engram: {tier: nvme}}", "{dp: 8, ep: 8}",
                             "{tp: 2, dp: 2, ep: 4, pp: 2, micro_batches: 2}"}) {
        const Scenario scenario = read_point(
            std::string("{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 64, "
                        "context: 8192}, placement: ") +
                more + "}",
            "test", kRoot + "/scenarios/models", inputs.catalog());
        const Program program = inputs.program_of(scenario);
        const Timeline timeline = run_analytic(program);
        const auto run = summarise(scenario, inputs.platform(scenario.platform).machine, program, timeline, "analytic");
        ASSERT_TRUE(run.path);
        EXPECT_NEAR(run.path->total_ms() / to_ms(timeline.makespan), 1, 1e-9) << more;
        EXPECT_EQ(run.path->device, "H200_SXM");
        const auto again = run_from_json(to_json(run));
        ASSERT_TRUE(again.path);
        ASSERT_EQ(again.path->times.size(), run.path->times.size());
        EXPECT_EQ(again.path->times[0].p90_ms, run.path->times[0].p90_ms);
        EXPECT_EQ(again.path->unknown_share(), run.path->unknown_share());
    }
}

}  // namespace
}  // namespace strata
