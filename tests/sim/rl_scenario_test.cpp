// A scenario of kind rl: what it reads, and that an iteration is made of the servers' and the update's own results.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "sim/study/study.hpp"
#include "sim/training/rl_engine.hpp"
#include "sim/training/training_engine.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

std::string scenario(const std::string& workload) {
    return "model: moe-27b\nplatform: {system: HGX_H200, nodes: 2}\nplacement: {tp: 2}\nworkload: {kind: rl, prompts: "
           "8, answers: 4, rollout: {input: 300, output: {median: 200, sigma: 0.5}, concurrency: 16, replicas: 2}, " +
           workload + "}\n";
}

constexpr const char* kUpdate = "update: {placement: {dp: 4, ep: 4}, length: 1024, sharding: zero3}";

Scenario read_rl(const std::string& text) {
    static const Catalog catalog(kRoot + "/hwmodels/catalog");
    const ScratchFolder folder;
    const ScenarioFile file(folder.write("s.yaml", text), kRoot + "/scenarios/models");
    return file.read(file.points().front(), catalog);
}

std::map<std::string, double> metrics_of(const std::string& workload) {
    Inputs inputs(kRoot);
    return run_rl(read_rl(scenario(workload)), inputs).metrics;
}

TEST(RlScenario, iteration_is_the_sum_of_its_parts_or_hides_the_rollout) {
    const auto turns =
        metrics_of(std::string("judging: {seconds: 1, judges: 4}, readers: [{tokens_per_s: 10000}], ") + kUpdate);
    double sum = 0;
    for (const char* part : {"rollout", "judging", "reading", "update", "sync"}) {
        const double time = turns.at(fmt::format("rl.{}_s", part));
        EXPECT_GT(time, 0) << part;
        sum += time;
    }
    EXPECT_NEAR(turns.at("rl.iteration_s"), sum, 1e-9 * sum);
    EXPECT_NEAR(turns.at("rl.reading_s"), turns.at("rl.tokens") / 10000, 1e-9);
    EXPECT_LT(turns.at("rl.tail_s"), turns.at("rl.rollout_s"));
    const auto ahead = metrics_of(std::string("rolls_out_ahead: true, ") + kUpdate);
    EXPECT_NEAR(ahead.at("rl.iteration_s"),
                std::max(ahead.at("rl.rollout_s"), ahead.at("rl.update_s")) + ahead.at("rl.sync_s"), 1e-9);
}

// 32 answers and their prompts are packed into whole sequences, as many for each rank.
TEST(RlScenario, update_is_a_training_step_over_what_was_rolled_out) {
    const auto metrics = metrics_of(kUpdate);
    const int sequences = static_cast<int>(std::ceil(metrics.at("rl.tokens") / (1024 * 4)) * 4);
    Scenario training = read_rl(fmt::format(
        "model: moe-27b\nplatform: {{system: HGX_H200, nodes: 2}}\nplacement: {{dp: 4, ep: 4}}\nworkload: {{kind: "
        "training, sequences: {}, length: 1024, sharding: zero3}}\n",
        sequences));
    Inputs inputs(kRoot);
    EXPECT_NEAR(metrics.at("rl.update_s"), run_training(training, inputs).metrics.at("training.step_s"), 1e-9);
}

TEST(RlScenario, weights_go_over_the_links_of_the_smaller_side_or_as_fast_as_is_said) {
    const auto own = metrics_of(kUpdate), said = metrics_of(std::string("sync: {bandwidth: 1 GB/s}, ") + kUpdate);
    const WeightBytes bytes = weight_bytes(read_rl(scenario(kUpdate)).model);
    const double moved = 2 * (bytes.experts + bytes.engram + bytes.other).si();
    EXPECT_NEAR(said.at("rl.sync_s"), moved / 1e9, 1e-9 * moved / 1e9);
    static const Catalog catalog(kRoot + "/hwmodels/catalog");
    const PlatformSpec platform = read_rl(scenario(kUpdate)).platform;
    const double link =
        present(platform.scale_up_link, platform.system, "scale_up_link").effective_bandwidth.get().si();
    EXPECT_NEAR(own.at("rl.sync_s"), moved / (4 * link), 1e-9);
}

TEST(RlScenario, prompts_that_answers_share_are_computed_once_where_there_is_room) {
    const std::string servers =
        "model: moe-27b\nplatform: {system: HGX_H200, nodes: 2}\nplacement: {tp: 2}\nworkload: {kind: rl, prompts: 8, "
        "answers: 16, rollout: {input: 4000, output: 20, concurrency: 4, prefix_cache_tokens: ROOM}, ";
    const auto of = [&](const std::string& room) {
        std::string text = servers + kUpdate + "}\n";
        text.replace(text.find("ROOM"), 4, room);
        Inputs inputs(kRoot);
        return run_rl(read_rl(text), inputs).metrics.at("rl.rollout_s");
    };
    EXPECT_LT(of("100000"), 0.9 * of("0"));
}

TEST(RlScenario, refuses_more_accelerators_than_there_are_and_fields_of_others) {
    Inputs inputs(kRoot);
    const std::string many = scenario("rolls_out_ahead: true, update: {placement: {dp: 16, ep: 4}, length: 1024}");
    EXPECT_THROW(run_rl(read_rl(many), inputs), InputError);
    EXPECT_THROW(read_rl(scenario(std::string("sequences: 4, ") + kUpdate)), InputError);
    EXPECT_THROW(read_rl(scenario(std::string("readers: [{tokens_per_s: 0}], ") + kUpdate)), InputError);
    EXPECT_THROW(read_rl(scenario("update: {sequences: 4}")), InputError);
}

}  // namespace
}  // namespace strata
