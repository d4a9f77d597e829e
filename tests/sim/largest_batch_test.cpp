#include "sim/study/largest_batch.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sim/study/study.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

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

TEST(LargestBatch, takes_all_that_fits_where_larger_batches_hold_the_target) {
    const PointResult found = run_with("{largest_with: 'decode.tokens_per_s_per_accelerator >= 1000'}");
    const PointResult most = run_with("{largest_with: 'decode.tpot_ms <= 100000'}");
    EXPECT_DOUBLE_EQ(metric(found, "workload.batch"), metric(most, "workload.batch"));
}

// A prompt's throughput goes up and down with the batch, by its products' tiles. Of all batches there are (few, for
// their contexts are long) the largest that holds the target is taken, whatever way the metric goes.
TEST(LargestBatch, is_what_trying_every_batch_finds) {
    const auto prompts = [](const std::string& batch) {
        return run_with("1", fmt::format("workload={{kind: prefill, prompt: 512, context: 900000, batch: {}}}", batch));
    };
    const char* speed = "prefill.tokens_per_s_per_accelerator";
    std::vector<double> speeds;
    for (int batch = 8;; batch += 8) {
        const PointResult result = prompts(fmt::format("{}", batch));
        if (!result.run) break;
        speeds.push_back(metric(result, speed));
    }
    ASSERT_GT(speeds.size(), 10u);
    EXPECT_FALSE(std::is_sorted(speeds.begin(), speeds.end()));
    const auto [least, most] = std::minmax_element(speeds.begin(), speeds.end());
    for (const double share : {0.3, 0.6, 0.8, 0.9, 0.95, 0.99}) {
        const double bound = std::round(*least + share * (*most - *least));
        for (const bool at_most : {true, false}) {
            std::size_t last = 0;  // of those that hold
            for (std::size_t i = 0; i < speeds.size(); ++i)
                if (at_most ? speeds[i] <= bound : speeds[i] >= bound) last = i + 1;
            const PointResult found =
                prompts(fmt::format("{{largest_with: '{} {} {:.0f}'}}", speed, at_most ? "<=" : ">=", bound));
            ASSERT_EQ(found.status, PointStatus::ok) << bound;
            EXPECT_DOUBLE_EQ(metric(found, "workload.batch"), 8.0 * double(last)) << bound << " " << at_most;
        }
    }
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
