#include "sim/study/find_binding.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sim/study/platform_resources.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

const StudyOptions kOptions{.root = kRoot};

ScenarioFile scenario_file(const std::string& text, const std::vector<std::string>& set = {}) {
    return ScenarioFile("test", YAML::Load(text), kRoot + "/scenarios/models", set);
}

const std::string kDecode =
    "{model: v4-flash, platform: {system: HGX_H200}, placement: {dp: 8, ep: 8}, "
    "workload: {kind: decode, batch: 512, context: 8192}}";

Binding binding_in(const ScenarioFile& file, const BindingOptions& options = {}) {
    const Study study = run_study(file, kOptions);
    return find_binding(file, file.points().front(), *study.results.front().run, options, kOptions);
}

const Gain& of(const Binding& binding, const std::string& resource) {
    return *std::find_if(binding.gains.begin(), binding.gains.end(),
                         [&](const Gain& gain) { return gain.resource == resource; });
}

TEST(Binding, of_decode_is_sorted_and_led_by_what_its_kernels_wait_for) {
    const Binding binding = binding_in(scenario_file(kDecode));
    EXPECT_EQ(binding.metric, "decode.tokens_per_s_per_accelerator");
    EXPECT_EQ(binding.gains.front().resource, "HBM bandwidth");
    EXPECT_GT(binding.gains.front().gain, 0.02);
    EXPECT_LT(binding.gains.front().gain, 0.1);  // 10 % more cannot give more than that
    EXPECT_TRUE(std::is_sorted(binding.gains.begin(), binding.gains.end(),
                               [](const Gain& a, const Gain& b) { return a.gain > b.gain; }));
    EXPECT_DOUBLE_EQ(of(binding, "drives").gain, 0);  // nothing is kept there
    EXPECT_NEAR(of(binding, "HBM bandwidth").elasticity, std::log1p(of(binding, "HBM bandwidth").gain) / std::log(1.1),
                1e-12);
}

TEST(Binding, of_training_is_in_tokens_a_second) {
    const YAML::Node document = YAML::Load(
        "{model: dense-4b, platform: {system: HGX_H200}, placement: {dp: 8}, "
        "workload: {kind: training, sequences: 64, recompute: full}}");
    const Binding binding = binding_in(ScenarioFile("test", document, kRoot + "/scenarios/models"));
    EXPECT_EQ(binding.metric, "training.tokens_per_s_per_accelerator");
    EXPECT_EQ(binding.gains.front().resource, "tensor peak");
}

TEST(Binding, of_long_prompts_is_arithmetic) {
    const Binding binding = binding_in(scenario_file(kDecode, {"workload={kind: prefill, batch: 64, prompt: 8192}"}));
    EXPECT_EQ(binding.metric, "prefill.tokens_per_s_per_accelerator");
    EXPECT_GT(of(binding, "tensor peak").gain, of(binding, "HBM bandwidth").gain);
}

TEST(Binding, is_repeated_by_setting_its_fields) {
    const ScenarioFile file = scenario_file(kDecode, {"placement.engram.tier=host"});
    const Binding binding = binding_in(file);
    const Gain& gain = of(binding, "kernel launch");
    std::vector<std::string> set{"placement.engram.tier=host"};
    for (const auto& [path, value] : gain.settings) set.push_back(fmt::format("{}={}", path, value));
    const auto again = *run_study(scenario_file(kDecode, set), kOptions).results.front().run;
    EXPECT_GT(gain.gain, 0.001);
    EXPECT_NEAR(again.metrics.at(binding.metric), binding.base * (1 + gain.gain), 1e-9 * binding.base);
}

TEST(Binding, of_a_target_counts_the_room_that_memory_gives) {
    const std::vector<std::string> fixed{"workload.context=65536", "workload.batch=128"};
    EXPECT_DOUBLE_EQ(of(binding_in(scenario_file(kDecode, fixed)), "HBM capacity").gain, 0);
    const std::vector<std::string> target{"workload.context=65536", "platform.system=HGX_H100",
                                          "workload.batch={largest_with: 'decode.tpot_ms <= 1000'}"};
    EXPECT_GT(of(binding_in(scenario_file(kDecode, target)), "HBM capacity").gain, 0.01);
}

TEST(Binding, of_nothing_says_so_after_trying_pairs) {
    const Binding binding = binding_in(scenario_file(kDecode), {.by = 0.1, .metric = "memory.hbm_gb"});
    EXPECT_TRUE(binding.nothing_to_gain());
    EXPECT_EQ(binding.pairs.size(), kPairsShown);
}

// Two links that are waited for in turn: each alone gives little, and pairs are tried.
TEST(Binding, tries_pairs_where_no_single_resource_gains_a_percent) {
    const Binding binding = binding_in(scenario_file(kDecode), {.by = 0.005});
    ASSERT_LT(binding.gains.front().gain, kFewGain);
    ASSERT_FALSE(binding.pairs.empty());
    EXPECT_GT(binding.pairs.front().gain, binding.gains.front().gain);
}

TEST(Binding, of_serving_is_of_its_tokens_or_of_its_waiting) {
    const std::string closed = "workload={kind: serving, requests: 16, input: 512, output: 64, concurrency: 8}";
    const std::string open = "workload={kind: serving, requests: 16, rate: 4, input: 512, output: 64, concurrency: 8}";
    const Binding by_tokens = binding_in(scenario_file(kDecode, {closed}));
    EXPECT_EQ(by_tokens.metric, "serving.output_tokens_per_s_per_accelerator");
    EXPECT_GT(by_tokens.gains.front().gain, 0.001);
    const Binding by_time = binding_in(scenario_file(kDecode, {open}));
    EXPECT_EQ(by_time.metric, "serving.end_to_end_ms");
    EXPECT_GT(by_time.gains.front().gain, 0.001);
}

TEST(Binding, refuses_a_metric_that_the_point_lacks) {
    EXPECT_THROW(binding_in(scenario_file(kDecode), {.by = 0.1, .metric = "prefill.ttft_ms"}), InputError);
}

// Whatever the point, no better part makes a step slower. Tables are made monotone and physics is, so a step back of
// more than rounding is a mistake in one of them.
TEST(Binding, no_better_resource_makes_any_step_slower) {
    std::mt19937 random(20261127);
    const auto one_of = [&](const std::vector<std::string>& choices) {
        return choices[std::uniform_int_distribution<std::size_t>(0, choices.size() - 1)(random)];
    };
    for (int i = 0; i < 12; ++i) {
        const std::vector<std::string> set{
            "platform.system=" + one_of({"HGX_H100", "HGX_H200", "HGX_H800", "HGX_B200"}),
            "model=" + one_of({"v3.2", "v4-flash", "v4.1-flash"}),
            "workload={kind: " +
                one_of({"decode, context: 1000", "decode, context: 70000", "prefill, context: 3000, prompt: 700"}) +
                ", batch: " + one_of({"32", "256"}) + "}",
            "placement={dp: 8, ep: 8, micro_batches: " + one_of({"1", "2"}) +
                ", engram: {tier: " + one_of({"host", "nvme"}) + "}}",
            "kernels={experts: " + one_of({"grouped", "fused", "cutlass", "mega"}) +
                ", exchange: " + one_of({"wire", "deepep"}) + "}"};
        const ScenarioFile file = scenario_file(kDecode, set);
        const Study study = run_study(file, kOptions);
        if (!study.results.front().run) continue;  // does not fit
        const Binding binding = find_binding(file, file.points().front(), *study.results.front().run, {}, kOptions);
        for (const Gain& gain : binding.gains)
            EXPECT_GE(gain.gain, -1e-9) << gain.resource << ": " << fmt::format("{}", fmt::join(set, " "));
    }
}

TEST(PlatformResources, change_each_number_by_the_share_and_leave_out_what_is_not_there) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const auto named = [](const std::vector<PlatformResource>& all, const std::string& name) {
        return std::find_if(all.begin(), all.end(), [&](const auto& resource) { return resource.name == name; });
    };
    const auto of_h200 = improvable_resources(platform_spec(catalog, "HGX_H200"), 0.25);
    EXPECT_EQ(named(of_h200, "HBM bandwidth")->better,
              (PathValues{{"platform.accelerator.memory.bandwidth", "6000 GB/s"}}));
    EXPECT_EQ(named(of_h200, "cores")->better.front().second, "165");  // 132 x 1.25, beside its peaks
    EXPECT_EQ(named(of_h200, "kernel launch")->better.front().second, "0.8");
    EXPECT_EQ(named(of_h200, "host link latency")->better.front().second, "1040 ns");  // 1.3 us / 1.25
    const auto of_mac = improvable_resources(platform_spec(catalog, "Mac_Studio"), 0.25);
    EXPECT_EQ(named(of_mac, "scale-up bandwidth"), of_mac.end());
    EXPECT_FALSE(named(of_mac, "cores")->known);  // null
}

}  // namespace
}  // namespace strata
