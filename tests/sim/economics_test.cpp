// Money and energy of runs: each number follows from the metrics beside it by pencil, and what is null is absent.
#include "sim/result/economics.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/study/study.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// Of v4-flash on one node of `system` with more set.
std::optional<Run> run_if_it_fits(const std::string& system, std::vector<std::string> set) {
    const YAML::Node document = YAML::Load(
        "{model: v4-flash, platform: {system: HGX_H200}, placement: {dp: 8, ep: 8}, "
        "workload: {kind: decode, batch: 512, context: 8192}}");
    set.push_back("platform.system=" + system);
    const ScenarioFile file("test", document, kRoot + "/scenarios/models", set);
    return run_study(file, {.root = kRoot}).results.front().run;
}

Run run_on(const std::string& system, std::vector<std::string> set = {}) {
    return run_if_it_fits(system, std::move(set)).value();
}

AcceleratorSpec board(std::optional<double> power, std::optional<double> idle) {
    AcceleratorSpec part;
    part.power_w.value = power;
    part.power_w.field = "X.power_w";
    part.idle_w.value = idle;
    return part;
}

TEST(Economics, a_million_tokens_cost_the_hours_that_they_take) {
    const auto metrics = run_on("HGX_H800", {"economics.usd_per_accelerator_hour=2"}).metrics;
    const double tokens_an_hour = metrics.at("decode.tokens_per_s") * 3600;
    EXPECT_DOUBLE_EQ(metrics.at("cost.usd_per_hour"), 16);
    EXPECT_NEAR(metrics.at("cost.usd_per_million_tokens"), 16 / tokens_an_hour * 1e6, 1e-9);
    EXPECT_FALSE(metrics.contains("cost.usd_per_million_tokens_low"));
    const auto idle_half = run_on("HGX_H800", {"economics={usd_per_accelerator_hour: 2, utilisation: 0.5}"}).metrics;
    EXPECT_NEAR(idle_half.at("cost.usd_per_million_tokens"), 32 / tokens_an_hour * 1e6, 1e-9);
    EXPECT_DOUBLE_EQ(idle_half.at("cost.usd_per_hour"), 16);
}

TEST(Economics, pays_for_tokens_that_are_accepted_drafts_too) {
    const auto metrics =
        run_on("HGX_H800", {"economics.usd_per_accelerator_hour=2", "workload.draft={tokens: 1, acceptance: 0.8}"})
            .metrics;
    EXPECT_NEAR(metrics.at("cost.usd_per_million_tokens"), 16 / (metrics.at("decode.tokens_per_s") * 3600) * 1e6, 1e-9);
}

TEST(Economics, takes_the_typical_rent_and_both_ends_from_the_catalogue) {
    const auto metrics = run_on("HGX_H200").metrics;
    const double typical = metrics.at("cost.usd_per_million_tokens");
    EXPECT_NEAR(metrics.at("cost.usd_per_million_tokens_low"), typical * 2.5 / 4, 1e-9);
    EXPECT_NEAR(metrics.at("cost.usd_per_million_tokens_high"), typical * 7 / 4, 1e-9);
}

TEST(Economics, electricity_is_paid_for_the_share_of_the_node) {
    const auto metrics = run_on("HGX_H200", {"economics={electricity_usd_per_kwh: 0.1, pue: 1.5}"}).metrics;
    // 10,200 W / 8 - 700 W = 575 W beside each board.
    const double board_w = metrics.at("energy.power_w_per_accelerator"), node_w = board_w + 575 * 1.5;
    EXPECT_NEAR(metrics.at("energy.node_w_per_accelerator"), node_w, 1e-9);
    EXPECT_NEAR(metrics.at("cost.usd_per_hour"), 8 * (4 + node_w / 1000 * 0.1), 1e-9);
}

TEST(Economics, energy_of_a_token_is_power_over_tokens) {
    const auto metrics = run_on("HGX_H200").metrics;
    const double joules =
        metrics.at("energy.power_w_per_accelerator") / metrics.at("decode.tokens_per_s_per_accelerator");
    EXPECT_NEAR(metrics.at("energy.joules_per_token"), joules, 1e-9);
    EXPECT_NEAR(metrics.at("energy.tokens_per_joule"), 1 / joules, 1e-9);
}

// Idle 100 W, board 500 W. Memory at its peak takes 80 W: what is left for all else is 320 W.
TEST(Economics, power_is_idle_memory_and_what_kernels_do) {
    const AcceleratorSpec part = board(500, 100);
    EXPECT_DOUBLE_EQ(power_of(part, {.busy = 0, .memory_w = 0, .most_memory_w = 80}), 100);
    EXPECT_DOUBLE_EQ(power_of(part, {.busy = 0.5, .memory_w = 40, .most_memory_w = 80}), 100 + 40 + 160);
    EXPECT_DOUBLE_EQ(power_of(part, {.busy = 1, .memory_w = 80, .most_memory_w = 80}), 500);
    EXPECT_DOUBLE_EQ(power_of(part, {.busy = 0.5}), 300);  // no energy of a bit is published
    // A memory that would take more than the board has is held to the board.
    EXPECT_DOUBLE_EQ(power_of(part, {.busy = 1, .memory_w = 900, .most_memory_w = 900}), 500);
}

TEST(Economics, waiting_counts_as_work_where_idle_power_is_unknown) {
    EXPECT_DOUBLE_EQ(power_of(board(500, {}), {.busy = 0.5}), 500);
    EXPECT_THROW(power_of(board({}, 100), {.busy = 0.5}), InputError);
}

TEST(Economics, power_stays_between_idle_and_board_whatever_runs) {
    int fitting = 0;
    for (const char* batch : {"8", "64", "2048"})
        for (const char* context : {"0", "4096", "131072"})
            for (const char* kernels : {"{experts: grouped}", "{experts: mega, exchange: wire}"}) {
                const auto run = run_if_it_fits(
                    "HGX_H200", {fmt::format("workload.batch={}", batch), fmt::format("workload.context={}", context),
                                 fmt::format("kernels={}", kernels), "economics.pue=1.2"});
                if (!run) continue;
                ++fitting;
                const double power = run->metrics.at("energy.power_w_per_accelerator");
                EXPECT_GE(power, 80.3 * 1.2) << batch << " " << context;
                EXPECT_LE(power, 700 * 1.2 + 1e-9) << batch << " " << context;
            }
    EXPECT_GT(fitting, 10);
}

TEST(Economics, what_needs_a_null_is_absent_and_says_which) {
    const auto run = run_on("HGX_H800", {"economics.electricity_usd_per_kwh=0.1"});  // no board power is published
    for (const char* metric : {"energy.power_w_per_accelerator", "cost.usd_per_hour"}) {
        EXPECT_FALSE(run.metrics.contains(metric)) << metric;
        EXPECT_NE(run.absent.at(metric).find("H800_SXM.power_w is null"), std::string::npos);
    }
    EXPECT_NE(run.absent.at("cost.capital_usd").find("H800_SXM.price.purchase is null"), std::string::npos);
}

TEST(Economics, capital_is_whole_nodes_or_accelerators_with_their_share_of_a_fabric) {
    EXPECT_DOUBLE_EQ(run_on("GB200_NVL72").metrics.at("cost.capital_usd"), 2.5e6);  // eight of 72, but one rack
    const std::string bought = "platform.accelerator.price.purchase=30000";
    EXPECT_DOUBLE_EQ(run_on("HGX_H200", {bought}).metrics.at("cost.capital_usd"), 240e3);
    // 2,048 endpoints: eight planes of 8 leaves and 4 spines, 82,946 USD each, and 256 links a plane at 481 USD.
    const double fabric = (8 * 12 * 82946.0 + 8 * 256 * 481.0) / 2048;
    EXPECT_NEAR(run_on("HGX_H200", {bought, "economics.fabric=DeepSeek_H800_2048"}).metrics.at("cost.capital_usd"),
                240e3 + 8 * fabric, 1);
}

TEST(Economics, serving_pays_for_its_output_and_for_all_tokens) {
    const auto run = run_on("HGX_H200", {"workload={kind: serving, requests: 20, input: 900, output: 100, "
                                         "concurrency: 8}"});
    const auto& metrics = run.metrics;
    EXPECT_NEAR(metrics.at("cost.usd_per_million_tokens"),
                32 / (metrics.at("serving.output_tokens_per_s") * 3600) * 1e6, 1e-6);
    EXPECT_NEAR(metrics.at("cost.usd_per_million_total_tokens"), metrics.at("cost.usd_per_million_tokens") / 10, 1e-6);
    EXPECT_GT(metrics.at("energy.joules_per_token"), 0);
}

}  // namespace
}  // namespace strata
