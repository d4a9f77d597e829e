// Tiers below the accelerator's memory: what caches above them answer, and who computes what lies there.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/placement/cache_hits.hpp"
#include "sim/placement/memory.hpp"
#include "sim/study/study.hpp"
#include "sim/workload/build_program.hpp"
#include "tests/shipped_catalog.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

Scenario scenario_of(const std::string& placement, const std::string& workload = "kind: decode, batch: 1, context: 512",
                     const std::string& system = "Xeon_6454S_4090D", const std::string& platform = "") {
    return read_point("{model: {preset: v3, precision: {weights: q4_k_m, experts: q4_k_m}}, platform: {system: " +
                          system + platform + "}, workload: {" + workload + "}, placement: {" + placement + "}}",
                      "test", kRoot + "/scenarios/models", shipped_catalog());
}

Program program_of(const Scenario& scenario) {
    static const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    return build_program(scenario, platform_of(scenario.platform), costs);
}

std::vector<Task> named(const Program& program, const std::string& name) {
    std::vector<Task> found;
    std::copy_if(program.tasks.begin(), program.tasks.end(), std::back_inserter(found),
                 [&](const Task& task) { return task.name == name; });
    return found;
}

const FfnConfig kV3{.experts = 256, .top_k = 8};

TEST(ExpertHits, of_uniform_experts_are_their_share) {
    const ExpertHits hits = expert_hits({.cached_experts = 64}, kV3, 1);
    EXPECT_DOUBLE_EQ(hits.of_pairs, 0.25);
    EXPECT_DOUBLE_EQ(hits.cached, 2);  // of the eight of one token
    EXPECT_DOUBLE_EQ(hits.missed, 6);
    // Many tokens reach all.
    EXPECT_NEAR(expert_hits({.cached_experts = 64}, kV3, 10000).missed, 192, 1e-9);
}

TEST(ExpertHits, of_skewed_experts_are_more_than_their_share_and_different_experts_fewer) {
    const ExpertHits uniform = expert_hits({.cached_experts = 64}, kV3, 100);
    const ExpertHits skewed = expert_hits({.cached_experts = 64, .expert_skew = 1}, kV3, 100);
    EXPECT_GT(skewed.of_pairs, 0.5);
    EXPECT_LT(skewed.of_pairs, 1);
    EXPECT_LT(skewed.cached + skewed.missed, uniform.cached + uniform.missed);
    // All are cached: no miss.
    const ExpertHits all = expert_hits({.cached_experts = 256, .expert_skew = 1}, kV3, 100);
    EXPECT_NEAR(all.of_pairs, 1, 1e-9);
    EXPECT_EQ(all.missed, 0);
}

TEST(KvHits, are_the_share_of_what_is_all_read_and_more_of_what_is_selected_unevenly) {
    const Placement placement{.cached_kv = 0.1, .kv_skew = 1};
    EXPECT_DOUBLE_EQ(kv_hits(placement, AttentionKind::mla, 10000), 0.1);
    EXPECT_NEAR(kv_hits(placement, AttentionKind::dsa, 10000), zipf_hit_rate(1000, 10000, 1), 1e-12);
    EXPECT_GT(kv_hits(placement, AttentionKind::dsa, 10000), 0.7);
}

TEST(HostExperts, are_read_by_the_hosts_cores_and_only_activations_travel) {
    const Program program = program_of(scenario_of("experts: {tier: host, compute: host}"));
    EXPECT_TRUE(named(program, "experts_gate_up").empty());
    EXPECT_TRUE(named(program, "expert_fetch").empty());
    const std::vector<Task> products = named(program, "host_experts"), sent = named(program, "tokens_to_host");
    ASSERT_EQ(products.size(), 58u);
    ASSERT_EQ(sent.size(), 58u);
    EXPECT_EQ(products[0].lane, Lane::host_compute);
    // Eight experts of three matrices of 7168 x 2048 in 4.84375 bits.
    const double bytes = 8 * 3 * 7168.0 * 2048 * 4.84375 / 8;
    EXPECT_NEAR(products[0].moved / Bytes(bytes), 1, 1e-9);
    EXPECT_DOUBLE_EQ(sent[0].moved.si(), 7168 * 2);
    // Two sockets of eight channels of 38.4 GB/s, of which 110 in 204.8 are reached.
    EXPECT_NEAR(products[0].duration.si(), bytes / (16 * 38.4e9 * 110 / 204.8), 1e-9);
}

TEST(HostExperts, share_their_work_with_what_the_accelerator_has_of_them) {
    const Program program = program_of(
        scenario_of("experts: {tier: host, compute: host, cached: 64}", "kind: decode, batch: 64, context: 512"));
    const Program all =
        program_of(scenario_of("experts: {tier: host, compute: host}", "kind: decode, batch: 64, context: 512"));
    const Flops there = named(program, "host_experts")[0].flops, here = named(program, "experts_gate_up")[0].flops;
    EXPECT_GT(here, Flops(0));
    EXPECT_NEAR(there / named(all, "host_experts")[0].flops, 0.75, 1e-9);
    EXPECT_NEAR(named(program, "host_experts")[0].moved / named(all, "host_experts")[0].moved, 0.75, 1e-9);
}

TEST(HostExperts, overlap_with_the_shared_expert_and_come_back_before_the_next_layer) {
    const Program program = program_of(scenario_of("experts: {tier: host, compute: host}"));
    const auto at = [&](const std::string& name) {
        return static_cast<std::uint32_t>(
            std::find_if(program.tasks.begin(), program.tasks.end(), [&](const Task& t) { return t.name == name; }) -
            program.tasks.begin());
    };
    const auto waits = [&](std::uint32_t before, std::uint32_t after) {
        return std::count(program.edges.begin(), program.edges.end(), Edge{before, after}) == 1;
    };
    EXPECT_TRUE(waits(at("router"), at("tokens_to_host")));
    EXPECT_TRUE(waits(at("tokens_to_host"), at("host_experts")));
    EXPECT_FALSE(waits(at("shared_down"), at("host_experts")));
    EXPECT_TRUE(waits(at("host_experts"), at("results_from_host")));
    EXPECT_TRUE(waits(at("results_from_host"), at("results_from_host") + 1));
}

TEST(HostExperts, need_the_host_tier_and_a_processor_that_somebody_has_described) {
    EXPECT_THROW(check_fits(scenario_of("experts: {compute: host}")), InputError);
    EXPECT_THROW(program_of(scenario_of("experts: {tier: host, compute: host}", "kind: decode, batch: 1, context: 512",
                                        "HGX_H200")),
                 InputError);
}

TEST(HostExperts, of_each_socket_have_a_copy_of_their_own) {
    const auto host = [](const std::string& placement) { return memory_use(scenario_of(placement), 1).host_of_a_node; };
    EXPECT_NEAR(host("experts: {tier: host, compute: host}") / host("experts: {tier: host}"), 2, 1e-12);
}

TEST(Fetches, of_cached_experts_are_those_of_the_rest) {
    const auto bytes = [](const std::string& more) {
        return named(program_of(scenario_of("experts: {tier: host" + more + "}")), "expert_fetch")[0].moved;
    };
    EXPECT_NEAR(bytes(", cached: 64") / bytes(""), 0.75, 1e-9);
}

TEST(Cxl, is_a_tier_that_is_slower_than_host_memory_and_counts_its_own_bytes) {
    const auto scenario = [](const std::string& tier) {
        return scenario_of("experts: {tier: " + tier + "}", "kind: decode, batch: 1, context: 512", "Xeon_6454S_4090D",
                           ", cxl: CXL_expander, host: {cxl_units: 2}, host_link: PCIe5_x16");
    };
    const Task cxl = named(program_of(scenario("cxl")), "expert_fetch")[0];
    EXPECT_EQ(cxl.lane, Lane::cxl_fetch);
    // Two expanders of 23.7 GB/s are slower than the 52 GB/s of the link that both cross.
    EXPECT_NEAR((cxl.duration - cxl.latency).si(), cxl.moved.si() / (2 * 23.7236e9), 1e-9);
    EXPECT_NEAR(to_us(cxl.latency), 0.25 + 1.3, 1e-9);
    EXPECT_LT(named(program_of(scenario("host")), "expert_fetch")[0].duration, cxl.duration);
    EXPECT_EQ(memory_use(scenario("cxl"), 1).host_of_a_node, Bytes(0));
    EXPECT_GT(memory_use(scenario("cxl"), 1).cxl_of_a_node, 390.0_GB);
    EXPECT_NO_THROW(check_fits(scenario("cxl")));  // 512 GB
}

TEST(Cxl, is_refused_where_there_is_none_or_where_it_is_full) {
    EXPECT_THROW(check_fits(scenario_of("experts: {tier: cxl}")), InputError);
    EXPECT_THROW(check_fits(scenario_of("experts: {tier: cxl}", "kind: decode, batch: 1, context: 512",
                                        "Xeon_6454S_4090D", ", cxl: CXL_expander, host: {cxl_units: 1}")),
                 InputError);
}

TEST(MemoryClasses, are_what_fills_the_accelerators_memory) {
    const Scenario scenario = read_point(
        "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, "
        "placement: {dp: 8, ep: 8, engram: {tier: host, hot_rows: 1000000}}}",
        "test", kRoot + "/scenarios/models", shipped_catalog());
    const MemoryUse use = memory_use(scenario, 8);
    Bytes sum;
    for (const auto& [name, bytes] : use.classes()) {
        EXPECT_GT(bytes, Bytes(0)) << name;
        sum += bytes;
    }
    EXPECT_NEAR(sum / use.hbm_of_a_rank(), 1, 1e-12);
    // Rows that are kept in HBM as well: a million of each of two layers of 264 B, shared out over eight ranks.
    EXPECT_DOUBLE_EQ(use.engram.si(), 1e6 * 264 * 2 / 8);
    // DeepEP: two buffers for sending and two for receiving, a row of 5120 BF16 and 16 B for each of 384 experts and 64
    // tokens; and 64 tokens' 24 rows of 264 B in two layers on their way.
    const double rows = 64 * 24 * 264.0 * 2 * (1 - zipf_hit_rate(1e6, scenario.model.engram->rows_per_layer(), 0));
    EXPECT_NEAR(use.buffers.si(), 4 * 384 * 64 * (5120 * 2 + 16.0) + rows, 1);
}

TEST(MemoryClasses, of_activations_grow_with_the_tokens_of_a_step) {
    const auto activations = [](const std::string& workload) {
        return memory_use(scenario_of("", workload), 1).activations;
    };
    EXPECT_NEAR(
        activations("kind: prefill, batch: 1, prompt: 4096") / activations("kind: prefill, batch: 1, prompt: 512"), 8,
        0.5);
    // 4096 tokens with eight experts each: input and output of 7168 BF16, both halves and the product of 2048 in BF16,
    // and the residual.
    EXPECT_NEAR(activations("kind: prefill, batch: 1, prompt: 4096").si(),
                4096 * (8 * (7168 * 4 + 2048 * 6.0) + 7168 * 2), 1);
}

TEST(Drafts, are_verified_by_the_next_step_and_divide_its_time_by_the_tokens_that_stand) {
    EXPECT_DOUBLE_EQ((Workload{.drafts = 1, .acceptance = 0.7}).tokens(), 1.7);
    EXPECT_DOUBLE_EQ((Workload{.drafts = 2, .acceptance = 0.5}).tokens(), 1.75);
    const auto steps = [](const std::string& draft) {
        const std::string text =
            "{model: v3, platform: {system: HGX_H200}, workload: {kind: decode, batch: 64, context: "
            "4096" +
            draft + "}, placement: {dp: 8, ep: 8}}";
        return ScenarioFile("test", parse_yaml(text, "test"), kRoot + "/scenarios/models");
    };
    const auto metrics = [&](const std::string& draft) {
        return run_study(steps(draft), {.root = kRoot}).results.front().run.value().metrics;
    };
    auto plain = metrics(""), drafting = metrics(", draft: {tokens: 1, acceptance: 0.7}");
    EXPECT_DOUBLE_EQ(plain["decode.tpot_ms"], plain["decode.step_ms"]);
    EXPECT_DOUBLE_EQ(drafting["decode.tpot_ms"], drafting["decode.step_ms"] / 1.7);
    EXPECT_NEAR(drafting["decode.tokens_per_s"], 64 / drafting["decode.tpot_ms"] * 1e3, 1e-6);
    EXPECT_GT(drafting["decode.step_ms"], plain["decode.step_ms"]);  // two positions, and one layer more
    EXPECT_GT(drafting["memory.experts_gb"], plain["memory.experts_gb"]);
}

TEST(Drafts, need_layers_that_draft) {
    const Scenario scenario = read_point(
        "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 64, draft: {tokens: 1}}, "
        "placement: {dp: 8, ep: 8}}",
        "test", kRoot + "/scenarios/models", shipped_catalog());
    EXPECT_THROW(check_fits(scenario), InputError);
}

TEST(PrefixHits, are_read_and_not_computed_and_count_as_input) {
    const auto metrics = [](const std::string& workload) {
        const std::string text = "{model: v3, platform: {system: HGX_H200}, workload: {kind: prefill, batch: 8, " +
                                 workload + "}, placement: {dp: 8, ep: 8}}";
        return run_study(ScenarioFile("test", parse_yaml(text, "test"), kRoot + "/scenarios/models"), {.root = kRoot})
            .results.front()
            .run.value()
            .metrics;
    };
    auto found = metrics("prompt: 4096, prefix_hits: 0.75"), rest = metrics("prompt: 1024, context: 3072");
    EXPECT_DOUBLE_EQ(found["prefill.ttft_ms"], rest["prefill.ttft_ms"]);
    EXPECT_NEAR(found["prefill.tokens_per_s"] / rest["prefill.tokens_per_s"], 4, 1e-9);
}

TEST(Launch, of_kernels_one_by_one_bounds_how_fast_they_come) {
    const auto time = [](const std::string& kernels) {
        const Scenario scenario = read_point(
            "{model: dense-4b, platform: {system: HGX_H200}, workload: {kind: decode, batch: 1, context: "
            "128}, kernels: {" +
                kernels + "}}",
            "test", kRoot + "/scenarios/models", shipped_catalog());
        const Program program = program_of(scenario);
        Seconds sum;
        for (const Task& task : program.tasks) sum += task.duration;
        return std::pair(sum, double(program.tasks.size()));
    };
    const auto [slow, kernels] = time("launch: 1 ms");
    EXPECT_NEAR(to_ms(slow), kernels, 1e-6);
    EXPECT_EQ(time("launch: 0 us").first, time("").first);
}

}  // namespace
}  // namespace strata
