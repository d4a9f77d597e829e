// Scenarios of kind serving beyond one batch of one placement: pools, swapping, failures, drafts that cost something,
// cached prefixes that must be read, and what the server's host adds.
#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "sim/serving/serving_engine.hpp"
#include "sim/serving/step_pricing.hpp"
#include "sim/study/study.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

const std::string kPools =
    "pools: {prefill: {placement: {tp: 8}}, decode: {placement: {tp: 8}, concurrency: 8}, first_token: ";

class ServingPools : public ::testing::Test {
protected:
    PointResult result_of(const std::string& workload, const std::string& rest = "placement: {tp: 8}\n",
                          const std::string& platform = "{system: HGX_H200, nodes: 2}") {
        const std::string text =
            "model: v3\nplatform: " + platform + "\nworkload: {kind: serving, " + workload + "}\n" + rest;
        const ScenarioFile file(folder.write("scenario.yaml", text), kRoot + "/scenarios/models");
        return run_study(file, {.root = kRoot}).results.front();
    }
    double metric(const std::string& name, const std::string& workload,
                  const std::string& rest = "placement: {tp: 8}\n") {
        const PointResult result = result_of(workload, rest);
        if (!result.run) throw InputError(result.reason);
        return result.run->metrics.at("serving." + name);
    }
    const ScratchFolder folder;
};

// A request alone: the KV of 1000 tokens of 61 x 576 x 2 B goes over one 400 Gbit/s port.
TEST_F(ServingPools, first_token_from_decode_holds_the_transfer) {
    const std::string alone = "requests: 1, input: 1000, output: 9, ";
    const double here = metric("ttft_ms", alone + kPools + "prefill}", "");
    const double there = metric("ttft_ms", alone + kPools + "decode}", "");
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const LinkSpec port = *platform_spec(catalog, "HGX_H200").scale_out_link;
    const double transfer = to_ms(Bytes(1000.0 * 61 * 576 * 2) / port.effective_bandwidth.get() + port.latency.get());
    EXPECT_NEAR(there - here, transfer, 1e-6);
    EXPECT_NEAR(metric("end_to_end_ms", alone + kPools + "prefill}", ""),
                metric("end_to_end_ms", alone + kPools + "decode}", ""), 1e-9);
    // NVLink is faster than the port.
    EXPECT_LT(metric("ttft_ms", alone + kPools + "decode, kv_link: scale_up}", ""), there);
}

// At two prompts a second and replica more than one step in a hundred computes one.
TEST_F(ServingPools, decode_is_not_stopped_by_prompts) {
    const std::string load = "requests: 200, rate: 4, input: 4096, output: 64, prefill: first, ";
    const double together = metric("itl_p99_ms", load + "concurrency: 8, replicas: 2");
    EXPECT_LT(metric("itl_p99_ms", load + kPools + "decode}", ""), 0.5 * together);
}

TEST_F(ServingPools, that_need_more_accelerators_than_there_are_do_not_fit) {
    const PointResult result =
        result_of("requests: 1, pools: {prefill: {placement: {tp: 8}, replicas: 2}, decode: {placement: {tp: 8}}}", "");
    EXPECT_EQ(result.status, PointStatus::infeasible);
    EXPECT_NE(result.reason.find("at most the 16 accelerators of 2 nodes of HGX_H200 in both pools, found 24"),
              std::string::npos)
        << result.reason;
}

TEST_F(ServingPools, say_for_themselves_what_else_the_placement_says) {
    const auto refusal = [&](const std::string& workload, const std::string& rest) {
        try {
            return result_of(workload, rest).reason;
        } catch (const InputError& error) {
            return std::string(error.what());
        }
    };
    EXPECT_NE(refusal("requests: 1, " + kPools + "prefill}", "placement: {tp: 8}\n").find("placement of its own"),
              std::string::npos);
    EXPECT_NE(refusal("requests: 1, concurrency: 4, " + kPools + "prefill}", "").find("workload.concurrency"),
              std::string::npos);
    EXPECT_NE(refusal("requests: 1, rank_failures: {mtbf_hours: 5}", "").find("repair_s"), std::string::npos);
}

// Room for three sequences of 2900 tokens and a bit: the fourth must leave now and then.
TEST_F(ServingPools, swapped_sequences_all_end) {
    const std::string tight =
        "requests: 12, input: 2000, output: 900, concurrency: 4, memory_share: 0.601, preemption: ";
    for (const char* how : {"swap", "recompute"}) {
        const PointResult result = result_of(tight + how);
        ASSERT_TRUE(result.run) << result.reason;
        EXPECT_GT(result.run->metrics.at("serving.preemptions"), 0) << how;
        EXPECT_EQ(result.run->metrics.at("serving.recomputed_tokens") == 0, std::string(how) == "swap");
    }
}

TEST_F(ServingPools, failing_accelerators_lose_time_and_no_request) {
    const std::string load = "requests: 400, rate: 2, input: 1024, output: 256, concurrency: 32";
    const PointResult sound = result_of(load),
                      failing = result_of(load + ", rank_failures: {mtbf_hours: 0.3, detection_s: 5, repair_s: 30}");
    ASSERT_TRUE(sound.run && failing.run) << failing.reason;
    EXPECT_EQ(sound.run->metrics.at("serving.availability"), 1);
    EXPECT_EQ(sound.run->metrics.at("serving.failures"), 0);
    EXPECT_GT(failing.run->metrics.at("serving.failures"), 0);
    EXPECT_GT(failing.run->metrics.at("serving.recomputed_tokens"), 0);
    EXPECT_LT(failing.run->metrics.at("serving.availability"), 1);
    EXPECT_GT(failing.run->metrics.at("serving.ttft_p99_ms"), sound.run->metrics.at("serving.ttft_p99_ms"));
}

// Verifying one draft makes a step longer, so the gain is below the 1.85 tokens a step.
TEST_F(ServingPools, drafts_cost_their_verification_and_their_own_layers) {
    const std::string load = "requests: 64, input: 512, output: 256, concurrency: 32";
    const double plain = metric("tpot_ms", load), drafted = metric("tpot_ms", load + ", acceptance: [0.85]");
    EXPECT_LT(drafted, plain);
    EXPECT_GT(drafted, plain / 1.85);
    // Drafts that are never accepted only cost: a layer of 61 and its head, and twice the tokens.
    const double wasted = metric("tpot_ms", load + ", acceptance: [0]");
    EXPECT_GT(wasted, 1.02 * plain);
    EXPECT_LT(wasted, 2 * plain);
}

// 15,900 tokens x 70,272 B: 1.117 GB over a bus of 20 GB/s, and from eight drives of 1 GB/s. A hundred new tokens take
// less.
TEST_F(ServingPools, a_cached_prefix_is_read_as_fast_as_its_tier) {
    const auto ttft_ms = [&](const std::string& tier) {
        const PointResult result = result_of(
            "requests: 40, rate: 0.5, input: 16000, output: 2, concurrency: 8, step_tokens: 16384, prefixes: {count: "
            "1, tokens: 15900, cache_tokens: 100000, tier: " +
                tier + "}",
            "placement: {tp: 8}\n",
            "{system: HGX_H200, host_link: {effective_bandwidth: 20 GB/s}, nvme: {bandwidth: 1 GB/s}}");
        if (!result.run) throw InputError(result.reason);
        return result.run->metrics.at("serving.ttft_p50_ms");
    };
    EXPECT_LT(ttft_ms("hbm"), 50);
    EXPECT_NEAR(ttft_ms("host"), 1.1173e9 / 20e9 * 1e3, 0.2);
    EXPECT_NEAR(ttft_ms("nvme"), 1.1173e9 / 8e9 * 1e3, 0.5);
    EXPECT_NE(result_of("requests: 1, prefixes: {count: 1, tokens: 9, cache_tokens: 1e9, tier: hbm}")
                  .reason.find("tokens of KV for which there is room"),
              std::string::npos);
}

TEST_F(ServingPools, the_host_launches_prompts_and_sets_up_the_first) {
    const std::string load = "requests: 4, input: 64, output: 2, concurrency: 1, server: ";
    EXPECT_NEAR(metric("ttft_p50_ms", load + "{launch_ms: 300}"), 300, 1e-6);
    EXPECT_NEAR(metric("ttft_p99_ms", load + "{launch_ms: 300, first_step_ms: 1000}"), 1300, 1e-6);
    EXPECT_NEAR(metric("ttft_ms", load + "{launch_ms: 300, first_step_ms: 1000}"), 300 + 1000 / 4.0, 1e-6);
}

TEST_F(ServingPools, a_limit_below_a_request_alone_is_infeasible) {
    const std::string load = "requests: 4, input: 1024, output: 32, concurrency: 4, ";
    for (const char* limit : {"tpot_limit_ms: 0.5", "ttft_limit_ms: 0.5"}) {
        const PointResult result = result_of(load + limit);
        EXPECT_EQ(result.status, PointStatus::infeasible);
        EXPECT_NE(result.reason.find("which no batch meets"), std::string::npos) << result.reason;
    }
    EXPECT_EQ(result_of(load + "tpot_limit_ms: 100").status, PointStatus::ok);
}

// An H200's prices are measured or interpolated where the tables reach, and the shares of time are all there is.
TEST_F(ServingPools, says_how_well_the_time_of_its_steps_is_known) {
    for (const std::string& workload : {std::string("requests: 20, input: 1024, output: 64, concurrency: 8"),
                                        "requests: 20, input: 1024, output: 64, " + kPools + "decode}"}) {
        const PointResult result =
            result_of(workload, workload.find("pools") == std::string::npos ? "placement: {tp: 8}\n" : "");
        ASSERT_TRUE(result.run) << result.reason;
        double all = 0;
        for (const auto& [origin, share] : result.run->share_of_compute) all += share;
        EXPECT_NEAR(all, 1, 1e-9);
        EXPECT_GT(result.run->share_of_compute.size(), 1u);
    }
}

TEST(PricedSteps, price_a_shape_once_and_remember_the_time_spent) {
    int asked = 0;
    PricedSteps steps({1, 2, 4}, {10, 20}, [&](double row, double column) {
        ++asked;
        return StepPrice{Seconds(row * column), {{row < 3 ? "measured" : "modelled", 1}}};
    });
    EXPECT_DOUBLE_EQ(steps.at(1, 10).si(), 10);
    EXPECT_DOUBLE_EQ(steps.at(3, 15).si(), 45);  // between four shapes
    EXPECT_EQ(asked, 5);
    EXPECT_DOUBLE_EQ(steps.at(9, 99).si(), 80);  // beyond: the last
    EXPECT_DOUBLE_EQ(steps.peek(4, 20).si(), 80);
    EXPECT_EQ(asked, 5);
    std::map<std::string, double> seconds;
    steps.add_time_by_origin(seconds);
    // 10 s; of the step between: half of the mean of 20 and 40 at row 2, half of that of 40 and 80 at row 4; 80 s.
    EXPECT_DOUBLE_EQ(seconds["measured"], 10 + 15);
    EXPECT_DOUBLE_EQ(seconds["modelled"], 30 + 80);
}

}  // namespace
}  // namespace strata
