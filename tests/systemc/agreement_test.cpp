// Both engines run the same Program: where nothing contends, or where all ranks share evenly, they must agree.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/engine/systemc/systemc_engine.hpp"
#include "sim/workload/build_program.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

struct AgreeingRun {
    const char* name;
    const char* scenario;
};

std::ostream& operator<<(std::ostream& out, const AgreeingRun& given) { return out << given.name; }

class Agreement : public testing::TestWithParam<AgreeingRun> {};

// The promise is 3 %; what is seen is below 0.1 %, so that is what is held.
TEST_P(Agreement, of_both_engines_on_the_step) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    const Scenario scenario = read_point(GetParam().scenario, GetParam().name, kRoot + "/scenarios/models", catalog);
    const Platform platform = platform_of(scenario.platform);
    const Program program = build_program(scenario, platform, costs);
    const int ranks = std::min(platform.machine.ranks, scenario.placement.ranks());
    const double analytic = to_us(run_analytic(program).makespan);
    const Simulation simulation = run_systemc(program, platform.machine, ranks);
    const double systemc = to_us(simulation.timeline.makespan);
    RecordProperty("off_by_percent", std::to_string((systemc / analytic - 1) * 100));
    // Ranks that come for the drives in turn leave in turn: the second time the first of them starts a few chunks
    // early, so the even share that the analytic engine assumes is a bound only to within some chunks.
    EXPECT_GE(systemc, analytic * 0.9999);
    EXPECT_LE(systemc, analytic * 1.001);
    for (const ResourceUse& use : simulation.resources) EXPECT_LE(use.busy, 1 + 1e-9) << use.name;
}

const AgreeingRun kCases[] = {
    {"dense_4b_on_one_rank",
     "{model: dense-4b, platform: {system: HGX_H200}, workload: {kind: decode, batch: 64, "
     "context: 4096}}"},
    {"engram_27b_on_one_rank_from_host",
     "{model: engram-27b, platform: {system: HGX_H200}, workload: {kind: decode, batch: 64, context: 4096}, "
     "placement: {engram: {tier: host}}}"},
    {"engram_27b_on_one_rank_from_drives_when_needed",
     "{model: engram-27b, platform: {system: HGX_H200}, workload: {kind: decode, batch: 64, context: 4096}, "
     "placement: {engram: {tier: nvme, fetch: synchronous}}}"},
    {"v4_1_flash_on_a_node_in_hbm",
     "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, "
     "placement: {dp: 8, ep: 8}}"},
    {"v4_1_flash_on_a_node_from_host",
     "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, "
     "placement: {dp: 8, ep: 8, engram: {tier: host}}}"},
    {"v4_1_flash_on_a_node_from_host_when_needed",
     "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, "
     "placement: {dp: 8, ep: 8, engram: {tier: host, fetch: synchronous}}}"},
    {"v4_1_flash_on_a_node_from_drives_when_needed",
     "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, "
     "placement: {dp: 8, ep: 8, engram: {tier: nvme, fetch: synchronous}}}"},
    {"v4_1_flash_prefill_from_drives",
     "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: prefill, batch: 8, prompt: 4096}, "
     "placement: {dp: 8, ep: 8, engram: {tier: nvme}}}"},
    {"v4_1_flash_on_a_node_from_expanders_when_needed",
     "{model: v4.1-flash, platform: {system: HGX_H200, cxl: CXL_expander, host: {cxl_units: 4}}, workload: {kind: "
     "decode, batch: 512, context: 8192}, placement: {dp: 8, ep: 8, engram: {tier: cxl, fetch: synchronous}}}"},
    {"v3_on_a_node_with_tensor_ranks",
     "{model: v3, platform: {system: HGX_H200}, workload: {kind: decode, batch: 64, context: 4096}, "
     "placement: {tp: 2, dp: 4, ep: 8}}"},
};

INSTANTIATE_TEST_SUITE_P(Systemc, Agreement, testing::ValuesIn(kCases),
                         [](const auto& given) { return std::string(given.param.name); });

// Tokens that leave for the host wait behind what the shared expert's kernel takes from the same memory, which only
// systemc sees: 17 us of a layer's 900.
TEST(HostExperts, take_as_long_in_both_engines_but_for_their_wait_for_memory) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    const Scenario scenario = read_point(
        "{model: {preset: v3, precision: {weights: q4_k_m, experts: q4_k_m}}, platform: {system: Xeon_6454S_4090D}, "
        "workload: {kind: decode, batch: 1, context: 4096}, placement: {experts: {tier: host, compute: host}}}",
        "host", kRoot + "/scenarios/models", catalog);
    const Platform platform = platform_of(scenario.platform);
    const Program program = build_program(scenario, platform, costs);
    const double analytic = to_us(run_analytic(program).makespan);
    const Simulation simulation = run_systemc(program, platform.machine, 1);
    EXPECT_GE(to_us(simulation.timeline.makespan), analytic);
    EXPECT_LE(to_us(simulation.timeline.makespan), analytic * 1.03);
    const auto memory = std::find_if(simulation.resources.begin(), simulation.resources.end(),
                                     [](const ResourceUse& use) { return use.name == "node0.host_memory"; });
    ASSERT_NE(memory, simulation.resources.end());
    EXPECT_GT(memory->bytes, Bytes(58 * 8 * 3 * 7168.0 * 2048 * 4.84375 / 8));
}

// Every row in the banks that it lies in, against the rate that the bank model found for rows of its size: 24 rows of
// 264 B a token, fetched by eight ranks at once when they are needed. Not only the step but the wait for the rows.
class BankAgreement : public testing::TestWithParam<int> {};

TEST_P(BankAgreement, of_rows_one_by_one_with_the_rate_of_their_size) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    const Scenario scenario = read_point(
        "{model: v4.1-flash, platform: {system: HGX_H200, host: {memory_units: " + std::to_string(GetParam()) +
            "}}, workload: {kind: decode, batch: 8192, context: 512}, detail: bank, "
            "placement: {dp: 8, ep: 8, engram: {tier: host, fetch: synchronous}}}",
        "bank", kRoot + "/scenarios/models", catalog);
    const Platform platform = platform_of(scenario.platform);
    const Program program = build_program(scenario, platform, costs);
    const auto measured = [&](const Timeline& timeline) {
        return summarise(scenario, platform.machine, program, timeline, "").metrics;
    };
    auto by_rate = measured(run_analytic(program));
    const Simulation simulation = run_systemc(program, platform.machine, 8, scenario.detail);
    auto by_banks = measured(simulation.timeline);
    EXPECT_NEAR(by_banks["decode.tpot_ms"] / by_rate["decode.tpot_ms"], 1, 0.05);
    EXPECT_NEAR(by_banks["engram.stall_ms"] / by_rate["engram.stall_ms"], 1, 0.05);
    EXPECT_GT(by_rate["engram.stall_ms"], 0.25);
    const auto memory = std::find_if(simulation.resources.begin(), simulation.resources.end(),
                                     [](const ResourceUse& use) { return use.name == "node0.host_memory"; });
    ASSERT_NE(memory, simulation.resources.end());
    EXPECT_GT(memory->bytes, Bytes(8192.0 * 24 * 264));  // whole bursts
}

// 16 channels: the ranks' links bind; 4 and 2: the banks do.
INSTANTIATE_TEST_SUITE_P(Systemc, BankAgreement, testing::Values(16, 4, 2));

TEST(Detail, of_banks_is_refused_where_no_standard_describes_the_memory) {
    Machine machine;
    machine.host_memory = 100.0_GBps;
    EXPECT_THROW(run_systemc(Program{}, machine, 1, Detail::bank), InputError);
}

}  // namespace
}  // namespace strata
