// What a placement makes of a model: which tasks a rank's step has, what they send and to whom.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/placement/memory.hpp"
#include "sim/placement/working_set.hpp"
#include "sim/workload/build_program.hpp"
#include "sim/workload/stage_program.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

Program program_of(const std::string& placement, const std::string& more = "") {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    const Scenario scenario = read_point(
        "{model: v3, platform: {system: HGX_H800, nodes: 4}, workload: {kind: decode, batch: 2048, context: "
        "4096}, placement: {" +
            placement + "}" + more + "}",
        "test", kRoot + "/scenarios/models", catalog);
    return build_program(scenario, platform_of(scenario.platform), costs);
}

std::vector<Task> tasks_named(const Program& program, const std::string& name) {
    std::vector<Task> found;
    std::copy_if(program.tasks.begin(), program.tasks.end(), std::back_inserter(found),
                 [&](const Task& task) { return task.name == name; });
    return found;
}

TEST(StageProgram, exchanges_once_each_way_for_each_expert_layer) {
    const Program program = program_of("dp: 8, ep: 8");
    const std::vector<Task> dispatch = tasks_named(program, "dispatch"), combine = tasks_named(program, "combine");
    ASSERT_EQ(dispatch.size(), 58u);  // 61 layers, 3 of them dense
    ASSERT_EQ(combine.size(), 58u);
    EXPECT_EQ(dispatch[0].peers, 8);
    EXPECT_EQ(dispatch[0].lane, Lane::scale_up);
    // 256 tokens of a rank x 8 copies, 7/8 of them to others, 7168 wide: FP8 with a scale per 128 there, BF16 back.
    EXPECT_DOUBLE_EQ(dispatch[0].moved.si(), 256 * 8 * 7.0 / 8 * 7168 * (1 + 4.0 / 128));
    EXPECT_DOUBLE_EQ(combine[0].moved.si(), 256 * 8 * 7.0 / 8 * 7168 * 2);
}

// The waits of each of a layer's tasks, as how far back they lie.
std::vector<std::vector<std::uint32_t>> waits_of_layer(const Program& program, int layer) {
    std::vector<std::vector<std::uint32_t>> waits;
    for (std::uint32_t i = 0; i < program.tasks.size(); ++i) {
        if (program.tasks.layer(i) != layer) continue;
        waits.emplace_back();
        for (const Edge& edge : program.edges)
            if (edge.after == i) waits.back().push_back(i - edge.before);
        std::sort(waits.back().begin(), waits.back().end());
    }
    return waits;
}

// A layer like an earlier one is copied; one of a stage that begins with it is made anew.
TEST(StageProgram, of_a_layer_like_another_is_what_it_is_alone) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    using Case = std::pair<const char*, const char*>;
    for (const auto& [system, placement] :
         {Case("HGX_H200", "{dp: 8, ep: 8, engram: {tier: host}}"),
          Case("HGX_H200", "{tp: 8, ep: 8, kv: {tier: host}}"),
          Case("HGX_H200", "{dp: 8, ep: 8, experts: {tier: host}, engram: {tier: nvme, fetch: synchronous}}"),
          Case("EPYC_Rome_5090", "{experts: {tier: host, compute: host, cached: 32}}")}) {
        const Scenario scenario =
            read_point(fmt::format("{{model: v4.1-flash, platform: {{system: {}}}, workload: {{kind: decode, batch: "
                                   "512, context: 8192}}, placement: {}}}",
                                   system, placement),
                       "test", kRoot + "/scenarios/models", catalog);
        const Platform platform = platform_of(scenario.platform);
        StepShape shape{.sequences = 64, .context = 8192, .tensor_ranks = double(scenario.placement.tp)};
        shape.expert_ranks = scenario.placement.ep;
        const Program whole = stage_program(scenario, shape, false, platform, costs);
        for (int layer = 1; layer < scenario.model.layers; layer += 3) {
            StepShape one = shape;
            one.first_layer = layer - 1;  // so that it has something to wait for
            one.end_layer = layer + 1;
            const Program alone = stage_program(scenario, one, false, platform, costs);
            EXPECT_EQ(waits_of_layer(whole, layer), waits_of_layer(alone, layer)) << layer << placement;
            const auto described = [layer](const Program& program) {
                std::string text;
                for (std::size_t i = 0; i < program.tasks.size(); ++i)
                    if (const Task& task = program.tasks[i]; program.tasks.layer(i) == layer)
                        text += fmt::format("{} {} {} {}\n", task.name, task.duration.si(), task.moved.si(),
                                            static_cast<int>(task.lane));
                return text;
            };
            EXPECT_EQ(described(whole), described(alone)) << layer << placement;
        }
    }
}

TEST(StageProgram, leaves_the_node_when_its_experts_do) {
    const Task dispatch = tasks_named(program_of("dp: 32, ep: 32"), "dispatch").front();
    EXPECT_EQ(dispatch.lane, Lane::scale_out);
    // 64 tokens of a rank x 8 copies; those to the own one of four nodes do not cross a NIC.
    EXPECT_DOUBLE_EQ(dispatch.moved.si(), 64 * 8 * 3.0 / 4 * 7168 * (1 + 4.0 / 128));
}

TEST(StageProgram, of_context_ranks_attends_together_as_one_rank_would_alone) {
    const auto prompt = [](const std::string& model, int ranks) {
        const Catalog catalog(kRoot + "/hwmodels/catalog");
        const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
        const Scenario scenario = read_point(
            "{model: " + model +
                ", platform: {system: HGX_H800, nodes: 4}, workload: {kind: prefill, batch: 8, prompt: 32768, context: "
                "8192}, placement: {dp: 8, ep: 8, cp: " +
                std::to_string(ranks) + "}}",
            "test", kRoot + "/scenarios/models", catalog);
        return build_program(scenario, platform_of(scenario.platform), costs);
    };
    for (const std::string model : {"v3", "v3.2", "v4-flash"}) {
        const Program alone = prompt(model, 1), four = prompt(model, 4);
        const auto flops = [](const Program& program) {
            double sum = 0;
            for (const Task& task : tasks_named(program, "attention")) sum += task.flops.si();
            return sum;
        };
        EXPECT_NEAR(4 * flops(four) / flops(alone), 1, 1e-3) << model;
        EXPECT_TRUE(tasks_named(alone, "gather_context").empty());
        EXPECT_EQ(tasks_named(four, "gather_context").size(), tasks_named(four, "attention").size()) << model;
    }
    // Entries of 576 BF16 values, 24576 tokens of the others. They are gathered before keys and values are made of all.
    const Program four = prompt("v3", 4);
    EXPECT_EQ(tasks_named(four, "gather_context").front().moved, Bytes(24576.0 * 1152));
    EXPECT_EQ(tasks_named(four, "kv_up").front().flops, tasks_named(prompt("v3", 1), "kv_up").front().flops);
}

TEST(StageProgram, of_a_prompt_fetches_of_what_is_attended_what_was_there_before) {
    const auto moved = [](const std::string& context) {
        const Catalog catalog(kRoot + "/hwmodels/catalog");
        const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
        const Scenario scenario = read_point(
            "{model: v3.2, platform: {system: HGX_H800}, workload: {kind: prefill, batch: 8, prompt: 4096, context: " +
                context + "}, placement: {dp: 8, ep: 8, kv: {tier: host}}}",
            "test", kRoot + "/scenarios/models", catalog);
        Bytes sum;
        for (const Task& task : tasks_named(build_program(scenario, platform_of(scenario.platform), costs), "kv_fetch"))
            sum += task.moved;
        return sum.si();
    };
    EXPECT_EQ(moved("0"), 0);
    // 61 layers, 4096 queries, 2048 selected of 6144 on average, of which 4096 are old; 656 B.
    EXPECT_NEAR(moved("4096") / (61.0 * 4096 * 2048 * 4096 / 6144 * 656), 1, 1e-9);
}

// The last 128 tokens of a sequence stand uncompressed beside what is compressed, and are where they were made.
TEST(StageProgram, fetches_no_sliding_window_and_memory_holds_it) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
    const Scenario scenario = read_point(
        "{model: v4-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 8, context: 65536}, "
        "placement: {dp: 8, ep: 8, kv: {tier: host}}}",
        "test", kRoot + "/scenarios/models", catalog);
    Bytes fetched;
    int layers = 0;
    for (const Task& task : tasks_named(build_program(scenario, platform_of(scenario.platform), costs), "kv_fetch")) {
        fetched += task.moved;
        ++layers;
    }
    EXPECT_EQ(layers, 41);  // of 43; the first two have a window alone
    // 21 layers select 512 of theirs, 20 attend to all 65536 / 128, each 584 B; the step's own token is not fetched.
    EXPECT_NEAR(fetched.si() / ((21 * 512 + 20 * 512) * 584.0 * 65536 / 65536.5), 1, 1e-9);
    const MemoryUse use = memory_use(scenario, 8);
    EXPECT_DOUBLE_EQ(use.kv.si(), 43 * 128 * 584.0);
    EXPECT_NEAR(use.host.kv.si() / (8 * 65537 * 584 * (21 / 4.0 + 20 / 128.0)), 1, 1e-9);
}

TEST(StageProgram, is_of_the_stage_that_takes_longest_with_its_fetches) {
    // Both tables are in the first half, read from drives when they are needed; the head, in the second, takes longer
    // than the projections of their rows.
    const auto of_tier = [](const std::string& tier) {
        const Catalog catalog(kRoot + "/hwmodels/catalog");
        const CostBook costs(kRoot + "/sim/cost/cost_curves.yaml");
        const Scenario scenario = read_point(
            "{model: engram-27b, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 1024}, "
            "placement: {dp: 4, ep: 4, pp: 2, engram: {fetch: synchronous, tier: " +
                tier + "}}}",
            "test", kRoot + "/scenarios/models", catalog);
        return build_program(scenario, platform_of(scenario.platform), costs);
    };
    EXPECT_EQ(tasks_named(of_tier("hbm"), "lm_head").size(), 2u);
    EXPECT_EQ(tasks_named(of_tier("nvme"), "engram_fetch").size(), 2u * 2);
}

TEST(StageProgram, of_kernels_that_cost_nothing_to_launch_still_moves_their_bytes) {
    const Catalog catalog(kRoot + "/hwmodels/catalog");
    const CostBook costs = CostBook::of(kRoot);
    const Scenario scenario = read_point(
        "{model: dense-4b, platform: {system: HGX_H20, accelerator: {launch: 0.01}}, workload: {kind: prefill, batch: "
        "1, "
        "prompt: 512}}",
        "test", kRoot + "/scenarios/models", catalog);
    const Platform platform = platform_of(scenario.platform);
    for (const Task& task : build_program(scenario, platform, costs).tasks)
        EXPECT_LE(task.moved / platform.machine.memory, task.duration * (1 + 1e-12)) << task.name;
}

TEST(StageProgram, of_context_ranks_holds_the_activations_of_its_own_tokens) {
    const auto held = [](int ranks) {
        const Catalog catalog(kRoot + "/hwmodels/catalog");
        return activation_bytes(
            read_point("{model: v3, platform: {system: HGX_H800, nodes: 8}, workload: {kind: "
                       "prefill, batch: 8, prompt: 32768}, placement: {dp: 8, ep: 8, cp: " +
                           std::to_string(ranks) + "}}",
                       "test", kRoot + "/scenarios/models", catalog));
    };
    EXPECT_NEAR(held(1) / held(4), 4, 1e-9);
}

TEST(StageProgram, dispatches_beside_the_shared_expert_and_computes_experts_after_both) {
    const Program program = program_of("dp: 8, ep: 8");
    const auto at = [&](const char* name) {
        return static_cast<std::uint32_t>(
            std::find_if(program.tasks.begin(), program.tasks.end(), [&](const Task& t) { return t.name == name; }) -
            program.tasks.begin());
    };
    const auto waits = [&](const char* before, const char* after) {
        return std::count(program.edges.begin(), program.edges.end(), Edge{at(before), at(after)}) == 1;
    };
    EXPECT_TRUE(waits("router", "dispatch"));
    EXPECT_TRUE(waits("router", "shared_gate_up"));
    EXPECT_FALSE(waits("shared_down", "dispatch"));
    EXPECT_TRUE(waits("dispatch", "experts_gate_up"));
    EXPECT_TRUE(waits("shared_down", "experts_gate_up"));
}

TEST(StageProgram, sums_partial_results_of_tensor_ranks_after_attention_and_after_the_feed_forward_layer) {
    const std::vector<Task> sums = tasks_named(program_of("tp: 8"), "all_reduce");
    ASSERT_EQ(sums.size(), 2 * 61u);
    EXPECT_EQ(sums[0].peers, 8);
    EXPECT_DOUBLE_EQ(sums[0].moved.si(), 2 * 2048 * 7168.0 * 2 * 7 / 8);
}

TEST(StageProgram, of_a_stage_sends_the_residual_on_and_has_its_share_of_the_layers) {
    const Program program = program_of("tp: 8, pp: 4");            // four micro-batches, one a turn
    EXPECT_EQ(tasks_named(program, "attention").size(), 4 * 16u);  // the stage with 16 of 61 layers is the slowest
    EXPECT_LE(tasks_named(program, "to_next_stage").size(), 4u);
}

TEST(StageProgram, of_one_kernel_that_sends_while_it_computes_moves_the_same_bytes) {
    const auto bytes = [](const Program& program, const std::string& name) {
        double sum = 0;
        for (const Task& task : tasks_named(program, name)) sum += task.moved.si();
        return sum;
    };
    const Program apart = program_of("dp: 8, ep: 8"), mega = program_of("dp: 8, ep: 8", ", kernels: {experts: mega}");
    EXPECT_NEAR(bytes(mega, "dispatch") / bytes(apart, "dispatch"), 1, 1e-12);
    EXPECT_NEAR(bytes(mega, "combine") / bytes(apart, "combine"), 1, 1e-12);
    EXPECT_EQ(tasks_named(mega, "experts_mega").size(), 58u);
}

TEST(StageProgram, fetches_experts_kept_below_hbm_whatever_kernel_computes_them) {
    for (const char* kernel : {"grouped", "fused", "cutlass", "mega"}) {
        const Program program =
            program_of("dp: 8, ep: 8, experts: {tier: host}", std::string(", kernels: {experts: ") + kernel + "}");
        const std::vector<Task> fetches = tasks_named(program, "expert_fetch");
        ASSERT_EQ(fetches.size(), 58u) << kernel;
        // 256 tokens x 8 ranks touch all 32 experts of a rank: three matrices of 7168 x 2048 in FP8.
        EXPECT_NEAR(fetches[0].moved.si(), 32 * 3 * 7168 * 2048.0, 0.001 * 32 * 3 * 7168 * 2048.0) << kernel;
    }
}

}  // namespace
}  // namespace strata
