// A scenario of kind training: what it reads, that its step is the schedule's with the stages that the cost book
// prices, and that its bytes add up.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "hwmodels/input_error.hpp"
#include "sim/failure/checkpoint.hpp"
#include "sim/study/study.hpp"
#include "sim/training/layer_split.hpp"
#include "sim/training/pipeline_formulas.hpp"
#include "sim/training/training_engine.hpp"
#include "sim/training/training_goodput_metrics.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// 16 layers that are alike, with a head of next to nothing, and links that take no time.
const std::string kUniform =
    "model: {preset: v3, layers: 16, vocab: 2, attention: {pattern: [{kinds: [mla], times: 16}]}, "
    "ffn: {dense_layers: 0, experts: 16}, mtp: null}\n"
    "platform: {system: HGX_H800, accelerator: {memory: {capacity: 4000 GB}}, "
    "scale_up_link: {effective_bandwidth: 1000000 TB/s, latency: 0.001 ns}}\n";
const std::string kDense = "model: dense-4b\nplatform: {system: HGX_H800, nodes: 4}\n";

StageTimes published_form(StageTimes times) {
    times.backward_input = times.forward;
    times.forward_and_backward.reset();
    return times;
}

class TrainingScenario : public ::testing::Test {
protected:
    std::string write(const std::string& head, const std::string& placement, const std::string& workload) {
        return folder.write("scenario.yaml",
                            head + "placement: {" + placement + "}\nworkload: {kind: training, " + workload + "}\n");
    }
    Scenario read(const std::string& head, const std::string& placement, const std::string& workload) {
        const ScenarioFile file(write(head, placement, workload), kRoot + "/scenarios/models");
        return file.read(file.points().front(), inputs().catalog());
    }
    TrainingPlan plan(const std::string& head, const std::string& placement, const std::string& workload) {
        const Scenario scenario = read(head, placement, workload);
        return plan_training(scenario, inputs().platform(scenario.platform), inputs().costs());
    }
    strata::Run run_of(const std::string& head, const std::string& placement, const std::string& workload) {
        return run_training(read(head, placement, workload), inputs());
    }
    std::string refusal_of(const std::string& head, const std::string& placement, const std::string& workload) {
        try {
            (void)plan(head, placement, workload);
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    }
    static Inputs& inputs() {
        static Inputs all(kRoot);
        return all;
    }
    const ScratchFolder folder;
};

// The formulas take an input gradient to be as long as a forward.
TEST_F(TrainingScenario, stages_that_are_alike_wait_as_long_as_is_published) {
    for (const char* schedule : {"gpipe", "1f1b", "zb1p", "dualpipe"}) {
        TrainingPlan planned =
            plan(kUniform, "pp: 4", std::string("sequences: 16, length: 4096, schedule: ") + schedule);
        planned.spec.stages = {published_form(planned.spec.stages[1])};  // the others add an embedding and a small head
        const Seconds published = published_bubble(planned.spec.schedule.kind, 4, planned.spec.stages.front());
        EXPECT_NEAR(simulate_step(planned.spec).longest_bubble() / published, 1, 1e-6) << schedule;
    }
    // A device of DualPipeV holds two of twice as many stages.
    TrainingPlan folded = plan(kUniform, "pp: 4", "sequences: 16, length: 4096, schedule: dualpipe_v");
    EXPECT_EQ(folded.spec.schedule.stages, 8);
    EXPECT_EQ(folded.step.stages_held.front(), 2);
    folded.spec.stages = {published_form(folded.spec.stages[1])};
    EXPECT_NEAR(simulate_step(folded.spec).longest_bubble() /
                    published_bubble(PipelineKind::dualpipe_v, 8, folded.spec.stages.front()),
                1, 1e-6);
}

TEST_F(TrainingScenario, parts_add_up_to_the_step) {
    for (const char* schedule : {"1f1b", "dualpipe"}) {
        const StepParts parts =
            plan(kDense, "dp: 4, pp: 4", std::string("sequences: 64, length: 2048, schedule: ") + schedule).parts;
        const Seconds sum =
            parts.forward + parts.backward + parts.weights + parts.forward_and_backward + parts.bubble + parts.update;
        EXPECT_NEAR(sum / parts.step, 1, 1e-9) << schedule;
        EXPECT_GT(parts.update, Seconds(0));
        EXPECT_LT(parts.exposed, parts.step);
    }
}

TEST_F(TrainingScenario, faster_parts_never_slow_a_step_down) {
    const auto step = [&](const std::string& memory, const std::string& link) {
        return run_of(
                   "model: {preset: v3, layers: 8, attention: {pattern: [{kinds: [mla], times: 8}]}}\nplatform: "
                   "{system: HGX_H800, nodes: 4, scale_out_link: {bandwidth: " +
                       link + "}, accelerator: {memory: {capacity: 200 GB, bandwidth: " + memory + "}}}\n",
                   "dp: 16, ep: 16, pp: 2", "sequences: 64, length: 2048, schedule: dualpipe")
            .metrics.at("training.step_s");
    };
    EXPECT_LT(step("3 TB/s", "50 GB/s"), step("3 TB/s", "25 GB/s"));
    EXPECT_LE(step("3 TB/s", "100 GB/s"), step("3 TB/s", "50 GB/s"));
    EXPECT_LT(step("4 TB/s", "50 GB/s"), step("3 TB/s", "50 GB/s"));
}

TEST(TrainingOps, time_of_attentions_backward_kernel_is_the_middle_of_what_was_measured) {
    std::ifstream table(std::string(STRATA_SOURCE_DIR) + "/sim/training/attention_backward_h200.csv");
    std::vector<double> ratios;
    for (std::string line; std::getline(table, line);) {
        double batch, length, heads, key, value, forward, backward;
        if (std::sscanf(line.c_str(), "%lf,%lf,%lf,%lf,%lf,%lf,%lf", &batch, &length, &heads, &key, &value, &forward,
                        &backward) == 7)
            ratios.push_back(backward / forward);
    }
    ASSERT_EQ(ratios.size(), 11u);
    std::sort(ratios.begin(), ratios.end());
    EXPECT_NEAR(ratios[5] / kAttentionBackward, 1, 0.005);
    EXPECT_NEAR(ratios.front(), 2.95, 0.01);
    EXPECT_NEAR(ratios.back(), 4.04, 0.01);
}

// Without recomputation products take three times their forward FLOPs, attention's backward kernel its measured time's
// worth.
TEST_F(TrainingScenario, gradients_take_two_products_each) {
    const Scenario scenario = read(kDense, "tp: 1", "sequences: 1, length: 4096");
    const Model trained = as_trained(scenario.model);
    const std::vector<Op> forward = training_forward(trained, micro_batch_of(scenario));
    double products = 0, attention = 0, mixes = 0;
    for (const Op& op : forward) {
        const double flops = work_of(op.shape).flops.si();
        if (std::holds_alternative<Gemm>(op.shape)) products += flops;
        if (std::holds_alternative<ContextAttention>(op.shape)) attention += flops;
        if (op.slot == Slot::residual) mixes += flops;
    }
    double all = 0;
    for (const TrainingOp& op : training_ops(trained, forward, Recompute::none)) all += op.work.work.flops.si();
    const double expected = 3 * products + (1 + kAttentionBackward) * attention + 3 * mixes;
    EXPECT_NEAR(all / expected, 1, 1e-9);
    double again = 0;
    for (const TrainingOp& op : training_ops(trained, forward, Recompute::full)) again += op.work.work.flops.si();
    const double head = work_of(forward.back().shape).flops.si();  // which is not computed again
    EXPECT_NEAR(again / (all + products + attention + mixes - head), 1, 1e-9);
}

TEST_F(TrainingScenario, matrices_are_all_parameters_of_the_model) {
    const Scenario scenario = read("model: v3\nplatform: {system: HGX_H800}\n", "tp: 1", "sequences: 1, mtp: false");
    const ModelParameters found = model_parameters(scenario);
    double sum = sums_of(found.first).all() + sums_of(found.last).all();
    for (const Parameters& layer : found.layers) sum += sums_of(layer).all();
    EXPECT_NEAR(sum / parameters(scenario.model).total(), 1, 1e-6);
}

TEST_F(TrainingScenario, memory_is_the_sum_of_its_classes) {
    const auto metrics = run_of(kDense, "dp: 4, pp: 2", "sequences: 16, length: 2048").metrics;
    double sum = 0;
    for (const char* part : {"weights", "gradients", "optimiser", "activations", "engram", "buffers"})
        sum += metrics.at(std::string("memory.") + part + "_gb");
    EXPECT_NEAR(metrics.at("memory.hbm_gb"), sum, 1e-9);
}

// Of P parameters on one stage, four replicas: FP32 gradients 4 P, state 8 P / 4; ZeRO-3 has a quarter of each.
TEST_F(TrainingScenario, zero_3_keeps_a_share_of_what_zero_1_keeps) {
    const auto memory = [&](const char* sharding) {
        return plan(kDense, "dp: 4", std::string("sequences: 4, length: 1024, recompute: full, sharding: ") + sharding)
            .memory;
    };
    const TrainingMemory none = memory("none"), one = memory("zero1"), three = memory("zero3");
    EXPECT_NEAR(one.optimiser / none.optimiser, 0.25, 1e-9);
    EXPECT_NEAR(none.optimiser / none.gradients, 2, 1e-9);
    EXPECT_NEAR(one.gradients / none.gradients, 1, 1e-9);
    EXPECT_NEAR(three.gradients / one.gradients, 0.25, 1e-9);
    EXPECT_NEAR(three.weights / one.weights, 0.25, 1e-9);
    EXPECT_NEAR(three.activations / one.activations, 1, 1e-9);
}

TEST_F(TrainingScenario, recomputing_more_keeps_less_and_takes_longer) {
    const auto planned = [&](const char* recompute) {
        return plan(kDense, "dp: 4, pp: 2", std::string("sequences: 16, length: 2048, recompute: ") + recompute);
    };
    const TrainingPlan none = planned("none"), selective = planned("selective"), full = planned("full");
    EXPECT_GT(none.memory.activations, selective.memory.activations);
    EXPECT_GT(selective.memory.activations, full.memory.activations);
    EXPECT_LT(none.step.time, selective.step.time);
    EXPECT_LT(selective.step.time, full.step.time);
}

// Of each layer its streams in BF16, and of the head its input.
TEST_F(TrainingScenario, full_recomputation_keeps_what_comes_into_a_layer) {
    const Scenario scenario = read(kDense, "dp: 2", "sequences: 2, length: 1024, recompute: full");
    const Model& model = scenario.model;
    const double elements = 1024 * model.hidden * (model.streams * model.layers + 1);
    const TrainingPlan planned = plan_training(scenario, inputs().platform(scenario.platform), inputs().costs());
    EXPECT_DOUBLE_EQ(planned.memory.activations.si(), 2 * elements);
}

// A rank's rows as stored, with FP32 masters and two BF16 moments.
TEST_F(TrainingScenario, tables_are_shared_out_with_their_state) {
    const Scenario scenario =
        read("model: engram-27b\nplatform: {system: HGX_H800, nodes: 2}\n", "dp: 16, ep: 8", "sequences: 16");
    const EngramConfig& engram = *scenario.model.engram;
    const double tables = double(engram.layer_ids.size());
    const double row = engram.row_bytes() + 8 * engram.row_dim;
    EXPECT_NEAR(engram_state(scenario, tables).si() / (engram.rows_per_layer() * tables * row / 16), 1, 1e-12);
    const TrainingPlan planned = plan_training(scenario, inputs().platform(scenario.platform), inputs().costs());
    EXPECT_DOUBLE_EQ(planned.memory.engram.si(), engram_state(scenario, tables).si());
    Seconds exchanged;
    for (const LayerCost& cost : planned.costs) exchanged += Seconds(cost.components.at("engram").exchange * 1e-3);
    EXPECT_GT(exchanged, Seconds(0));
}

TEST_F(TrainingScenario, refuses_what_does_not_divide_or_fit) {
    EXPECT_NE(refusal_of(kDense, "dp: 4", "sequences: 6")
                  .find("workload.sequences: expected a multiple of dp x "
                        "micro_batch = 4 x 1 = 4, found 6"),
              std::string::npos);
    EXPECT_NE(refusal_of(kDense, "dp: 2, pp: 4", "sequences: 8, schedule: dualpipe").find("pipeline dualpipe"),
              std::string::npos);
    EXPECT_NE(refusal_of("model: v3\nplatform: {system: HGX_H800}\n", "dp: 8", "sequences: 8").find("weights"),
              std::string::npos);
    EXPECT_NE(refusal_of(kDense, "dp: 64", "sequences: 64").find("at most 32 ranks"), std::string::npos);
    EXPECT_NE(refusal_of(kDense, "dp: 4, cp: 2", "sequences: 8").find("placement.cp"), std::string::npos);
    EXPECT_NE(refusal_of(kDense, "dp: 4", "sequences: 4, batch: 4").find("workload.batch"), std::string::npos);
    EXPECT_NE(refusal_of(kDense, "dp: 4", "sequences: 4, failures: {checkpoint: {bandwidth: 1 GB/s}}")
                  .find("exactly one of 'published' and 'sources'"),
              std::string::npos);
}

// 2048 nodes at 6.5 failures in 1000 days each: an MTBF of 1000 x 24 / (6.5 x 2048) = 1.803 h, so 719 failures in 54
// days.
TEST_F(TrainingScenario, failures_come_at_the_rate_that_was_published) {
    const Scenario scenario =
        read("model: dense-4b\nplatform: {system: HGX_H100, nodes: 2048}\n", "dp: 16384",
             "sequences: 16384, length: 1024, recompute: full, failures: {published: rsc1, duration_days: 54, "
             "checkpoint: {bandwidth: 1 GB/s}, restart_s: 300, repair_h: 0}");
    const GoodputSpec spec = goodput_spec(scenario, inputs().platform(scenario.platform), Seconds(1e-3));
    EXPECT_NEAR(cluster_mtbf(spec.failures).si() / 3600, 1.803, 0.001);
    EXPECT_DOUBLE_EQ(spec.interval.si(), daly_interval(spec.checkpoint.pause, cluster_mtbf(spec.failures)).si());
    const GoodputSpec slow = goodput_spec(scenario, inputs().platform(scenario.platform), Seconds(5000));
    EXPECT_DOUBLE_EQ(slow.interval.si(), 5000);  // no checkpoint within a step
    const strata::Run run = run_training(scenario, inputs());
    EXPECT_NEAR(run.metrics.at("goodput.interruptions"), 719, 3 * 27);  // three standard deviations
    EXPECT_NEAR(run.metrics.at("goodput.tokens_per_day") / run.metrics.at("training.tokens_per_day"),
                run.metrics.at("goodput.effective_share"), 1e-12);
}

// Kernels beside exchanges take 1.2 + 2.4 + 1.2 s and sums 0.2 s; exchanges 2 x 3 s, of which 1 s shows.
TEST(LayerCost, hides_the_shorter_lane_under_the_longer) {
    LayerCost cost;
    cost.of(Gradient::forward) = {Seconds(1), Seconds(1.2), Seconds(3), Seconds(0.1)};
    cost.of(Gradient::input) = {Seconds(2), Seconds(2.4), Seconds(3), Seconds(0.1)};
    cost.of(Gradient::weights) = {Seconds(1), Seconds(1.2), Seconds(0), Seconds(0)};
    EXPECT_NEAR(cost.alone().si(), 10.2, 1e-12);
    EXPECT_NEAR(cost.overlapped().si(), 6, 1e-12);
    EXPECT_NEAR(cost.exposed().si(), 1, 1e-12);
    cost.of(Gradient::forward).exchange = cost.of(Gradient::input).exchange = Seconds(0);
    EXPECT_NEAR(cost.overlapped().si(), 4.2, 1e-12);  // with all cores
}

TEST(LayerSplit, gives_the_stage_with_the_head_fewer_layers) {
    // Eight layers of 1 s, a head of 3 s, four stages: 3, 3, 2 and 0 would do, but each has a layer: the last 1 + 3.
    const LayerLoads loads{std::vector<Seconds>(8, Seconds(1)), Seconds(0), Seconds(3)};
    const std::vector<int> stages = split_layers(loads, 4, false);
    EXPECT_EQ(stages.back(), 8);
    EXPECT_EQ(stages[4] - stages[3], 1);
    // In pairs the device with the head has 8 + 3 over 2 at best: 2 layers and the head, 6 layers on the other, or 5.
    const std::vector<int> pairs = split_layers(loads, 4, true);
    const int with_head = (pairs[1] - pairs[0]) + (pairs[4] - pairs[3]);
    EXPECT_TRUE(with_head == 2 || with_head == 3) << with_head;
}

TEST(EngramRows, that_many_look_ups_touch_nearly_all) {
    EXPECT_NEAR(touched_rows(1e6, 1), 1, 1e-6);
    EXPECT_NEAR(touched_rows(1e6, 1e6) / 1e6, 0.632, 0.001);
}

}  // namespace
}  // namespace strata
