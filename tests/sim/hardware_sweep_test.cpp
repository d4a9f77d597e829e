#include "sim/engine/analytic/hardware_sweep.hpp"

#include <gtest/gtest.h>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/workload/build_program.hpp"
#include "sim/workload/pricing.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// Built for one machine and asked about others: the answer is that of a Program built there.
void expect_same(const std::string& scenario_text) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs = CostBook::of(kRoot);
    const Scenario scenario = read_point(scenario_text, "test", kRoot + "/scenarios/models", catalog);
    const Platform here = platform_of(scenario.platform);
    HardwareSweep sweep(build_program(scenario, here, costs), costs, scenario.placement.ranks());
    for (const char* system : {"HGX_H100", "HGX_B200", "HGX_H200"})
        for (const double factor : {0.5, 1.0, 3.0}) {
            Platform there = platform_of(platform_spec(catalog, system));
            there.device.memory = there.device.memory * factor;
            there.machine.host_link = there.machine.host_link * factor;
            there.machine.scale_up = there.machine.scale_up / factor;
            const Seconds built = run_analytic(build_program(scenario, there, costs)).makespan;
            EXPECT_NEAR(sweep.makespan(beside_exchanges(scenario, there)) / built, 1, 1e-12) << system << factor;
        }
}

TEST(HardwareSweep, of_a_decode_step_equals_programs_built_anew) {
    expect_same(
        "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, "
        "placement: {dp: 8, ep: 8, micro_batches: 2, engram: {tier: host}}}");
}

TEST(HardwareSweep, of_a_pipeline_that_fills_equals_programs_built_anew) {
    expect_same(
        "{model: v3, platform: {system: HGX_H200}, workload: {kind: prefill, batch: 16, prompt: 2048}, "
        "placement: {tp: 2, dp: 2, ep: 4, pp: 2, micro_batches: 2}}");
}

}  // namespace
}  // namespace strata
