#include "sim/study/largest_batch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sim/study/study.hpp"

namespace strata {
namespace {

const std::string kRoot = STRATA_SOURCE_DIR;

PointResult run_with(const std::string& batch, const std::string& more = "", const std::string& engine = "analytic") {
    const YAML::Node document =
        YAML::Load(fmt::format("{{model: v4-flash, platform: {{system: HGX_H200}}, placement: {{dp: 8, ep: 8}}, "
                               "workload: {{kind: decode, batch: {}, context: 8192}}}}",
                               batch));
    std::vector<std::string> set;
    if (!more.empty()) set.push_back(more);
    const ScenarioFile file("test", document, kRoot + "/scenarios/models", set);
    return run_study(file, {.root = kRoot, .engines = {engine}}).results.front();
}

double metric(const PointResult& result, const char* name) { return result.run->metrics.at(name); }

TEST(LargestBatch, holds_the_target_and_the_next_one_does_not) {
    const PointResult found = run_with("{largest_with: 'decode.tpot_ms <= 30'}");
    const double batch = metric(found, "workload.batch");
    EXPECT_DOUBLE_EQ(std::fmod(batch, 8), 0);  // dp x pp x micro_batches
    EXPECT_LE(metric(found, "decode.tpot_ms"), 30);
    EXPECT_GT(metric(run_with(fmt::format("{}", batch + 8)), "decode.tpot_ms"), 30);
    EXPECT_DOUBLE_EQ(metric(run_with(fmt::format("{}", batch)), "decode.tpot_ms"), metric(found, "decode.tpot_ms"));
}

TEST(LargestBatch, fills_the_memory_where_the_target_leaves_it_to) {
    const PointResult found = run_with("{largest_with: 'decode.tpot_ms <= 100000'}");
    EXPECT_LE(metric(found, "memory.hbm_gb"), 141);
    const PointResult more = run_with(fmt::format("{}", metric(found, "workload.batch") + 8));
    EXPECT_EQ(more.status, PointStatus::infeasible);
    EXPECT_NE(more.reason.find("HBM"), std::string::npos) << more.reason;
}

TEST(LargestBatch, says_what_the_smallest_reaches_where_none_holds_the_target) {
    const PointResult none = run_with("{largest_with: 'decode.tpot_ms <= 0.1'}");
    EXPECT_EQ(none.status, PointStatus::infeasible);
    const double smallest = metric(run_with("8"), "decode.tpot_ms");
    EXPECT_NE(none.reason.find(fmt::format("decode.tpot_ms <= 0.1, found {:.4g} at the smallest, 8 seq", smallest)),
              std::string::npos)
        << none.reason;
}

TEST(LargestBatch, finds_a_window_that_only_a_scan_sees) {
    // Time of one layer's experts jumps where their kernels change; whatever it does, the largest that holds is found.
    const PointResult found = run_with("{largest_with: 'decode.tokens_per_s_per_accelerator >= 1000'}");
    const PointResult most = run_with("{largest_with: 'decode.tpot_ms <= 100000'}");
    EXPECT_DOUBLE_EQ(metric(found, "workload.batch"), metric(most, "workload.batch"));
}

TEST(LargestBatch, is_found_for_prompts_and_refuses_a_metric_that_they_lack) {
    const std::string prefill =
        "workload={kind: prefill, prompt: 1024, batch: {largest_with: 'prefill.ttft_ms <= 500'}}";
    const PointResult found = run_with("1", prefill);
    EXPECT_LE(metric(found, "prefill.ttft_ms"), 500);
    EXPECT_GT(metric(found, "workload.batch"), 8);
    const PointResult wrong = run_with("{largest_with: 'prefill.ttft_ms <= 500'}");
    EXPECT_NE(wrong.reason.find("a metric of this workload"), std::string::npos) << wrong.reason;
}

TEST(LargestBatch, is_each_systems_own_in_a_sweep) {
    const YAML::Node document = YAML::Load(
        "{model: v4-flash, platform: {system: HGX_H200}, placement: {dp: 8, ep: 8}, "
        "workload: {kind: decode, batch: {largest_with: 'decode.tpot_ms <= 40'}, context: 8192}, "
        "axes: [{path: platform.system, values: [HGX_H100, HGX_H200]}]}");
    const Study study = run_study(ScenarioFile("test", document, kRoot + "/scenarios/models"), {.root = kRoot});
    EXPECT_LT(metric(study.results[0], "workload.batch"), metric(study.results[1], "workload.batch"));
}

TEST(LargestBatch, wants_an_assertion) {
    EXPECT_THROW(run_with("{largest_with: 'decode.tpot_ms = 30'}"), InputError);
    EXPECT_THROW(run_with("{largest: 'decode.tpot_ms <= 30'}"), InputError);
}

}  // namespace
}  // namespace strata
