#include "kernels/bench/record.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "kernels/bench/build_facts.hpp"
#include "kernels/bench/catalog.hpp"
#include "kernels/bench/markdown.hpp"
#include "kernels/bench/table.hpp"
#include "tests/json_schema.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

Schema record_schema() {
    std::ifstream file(STRATA_SOURCE_DIR "/kernels/profiles/record.schema.json");
    return Schema(nlohmann::json::parse(file));
}

// 10 MB in 5 us is 2000 GB/s: half of a copy of 4000. 15 GFLOP in it are 3000 TFLOP/s.
Sample made_up() {
    Sample sample{.kernel = "quant/tiles-fp32",
                  .source = "kernels/quant/quantise.cu",
                  .models = "v3",
                  .shape = {{"rows", 8}, {"width", 128}},
                  .seed = 1,
                  .outcome = Outcome::measured};
    sample.work = {.flops = Flops(15e9), .read = Bytes(6e6), .written = Bytes(4e6)};
    sample.cold = "flush";
    sample.us = spread_of({4.9, 5.0, 5.1});
    sample.verdict = {.pass = true, .metric = "calc_diff", .value = 1e-7, .tolerance = 1e-6};
    sample.ceiling = "copy";
    sample.share = 0.5;
    sample.goal = {.share = 0.9, .text = "90 % of a copy"};
    sample.counters_unavailable = "insufficient privileges";
    sample.baselines.push_back({.name = "two kernels", .us = spread_of({10.0})});
    return sample;
}

TEST(KernelRecord, every_kind_of_line_is_as_the_schema_says) {
    const Schema schema = record_schema();
    Sample skipped{.kernel = "a/b", .source = "kernels/a/b.cu", .reason = "out of time"};
    Sample wrong = made_up();
    wrong.verdict.pass = false;
    wrong.verdict.value = std::numeric_limits<double>::infinity();
    wrong.outcome = Outcome::refused;
    wrong.reason = *refusal_of(wrong);
    const Ceilings ceilings{.values = {{"copy", 4000.0}}, .missing = {{"fp8", "no algorithm"}}};
    const RunFacts facts{.id = "x", .utc = "2026-11-24T00:00:00Z", .command = "run", .gpu = {.name = "a GPU"}};
    for (const nlohmann::json line :
         {to_json(made_up()), to_json(skipped), to_json(wrong), to_json(facts, ceilings, {{64, 10.0}})})
        EXPECT_TRUE(schema.takes(line)) << line << '\n' << schema.errors(line);
}

TEST(KernelRecord, schema_refuses_a_line_without_origin_or_with_a_guess) {
    const Schema schema = record_schema();
    nlohmann::json line = to_json(made_up());
    line.erase("origin");
    EXPECT_FALSE(schema.takes(line));
    line = to_json(made_up());
    line["t_us"]["median"] = "5 or so";
    EXPECT_FALSE(schema.takes(line));
    line = to_json(made_up());
    line.erase("correct");
    EXPECT_FALSE(schema.takes(line)) << "a time without a verdict";
}

TEST(KernelRecord, says_bandwidth_baseline_and_goal) {
    const auto json = to_json(made_up());
    EXPECT_DOUBLE_EQ(json["gbs"], 2000.0);
    EXPECT_DOUBLE_EQ(json["tflops"], 3000.0);
    EXPECT_DOUBLE_EQ(json["baselines"][0]["times_as_fast"], 2.0);
    EXPECT_EQ(json["goal"]["reached"], false);
    EXPECT_EQ(json["counters"], "unavailable: insufficient privileges");
}

TEST(KernelRecord, refuses_wrong_outputs_and_more_than_the_card_can_do) {
    EXPECT_FALSE(refusal_of(made_up()));
    Sample wrong = made_up();
    wrong.verdict.pass = false;
    EXPECT_NE(refusal_of(wrong)->find("its output is wrong: calc_diff"), std::string::npos);
    Sample warm = made_up();
    warm.share = 1.03;
    EXPECT_NE(refusal_of(warm)->find("103 % of this run's copy ceiling"), std::string::npos);
    warm.possible_share = 1.03;  // it only reads, and reading is 3 % faster here
    EXPECT_FALSE(refusal_of(warm));
}

TEST(KernelRecord, a_goal_in_time_is_held_against_the_gpus_own_clock) {
    Sample sample = made_up();
    sample.goal = {.time = Seconds(4.5e-6), .text = "4.5 us"};
    EXPECT_EQ(goal_reached(sample), false);
    sample.activity_us = 4.2;
    EXPECT_EQ(goal_reached(sample), false) << "which kernels these are is not known";
    sample.kernels = {"one"};
    EXPECT_EQ(goal_reached(sample), true);
    sample.kernels = {"one", "two"};
    EXPECT_EQ(goal_reached(sample), false) << "what lies between two kernels counts";
    sample.kernels = {"one"};
    sample.outcome = Outcome::skipped;
    EXPECT_FALSE(goal_reached(sample));
}

TEST(KernelRecord, drift_is_the_largest_change_of_a_ceiling) {
    EXPECT_NEAR(drift_of({.values = {{"copy", 100}, {"read", 100}}}, {.values = {{"copy", 98}, {"read", 105}}}), 0.05,
                1e-12);
}

TEST(KernelRecord, knows_what_it_was_built_from) {
    EXPECT_EQ(source_hash_of("kernels/quant/quantise.cu").size(), 64u);
    EXPECT_EQ(source_hash_of("kernels/nothing/x.cu"), "");
    EXPECT_FALSE(build_facts()["nvcc"].get<std::string>().empty());
}

// kernels/README.md holds this table: from the newest record, or saying that nothing was measured.
TEST(KernelTable, the_readme_has_a_line_for_every_kernel) {
    std::ifstream file(STRATA_SOURCE_DIR "/kernels/README.md");
    const std::string readme{std::istreambuf_iterator<char>(file), {}};
    for (const Kernel& kernel : every_kernel())
        EXPECT_NE(readme.find("| `" + kernel.name + "` | " + kernel.shapes.front().shape.text() + " |"),
                  std::string::npos)
            << kernel.name << ": write the table anew with `strata-kernels table`";
}

TEST(KernelTable, is_filled_from_a_record) {
    const ScratchFolder scratch;
    Sample sample = made_up();
    sample.shape = every_kernel().front().shapes.front().shape;
    sample.kernel = every_kernel().front().name;
    sample.us.median = 6;
    const std::string before = scratch.write("before.jsonl", to_json(sample).dump() + "\n");
    sample.us.median = 5;
    auto line = to_json(sample);
    const std::string record = scratch.write("record.jsonl", line.dump() + "\n");
    line["t_us"]["median"] = 7, line["source_hash"] = "of before a change";
    const std::string stale = scratch.write("stale.jsonl", line.dump() + "\n");
    const std::string table = markdown_table(every_kernel(), {before, record, stale});
    EXPECT_NE(table.find("| 5.00 | 50.0 % of copy |"), std::string::npos) << table;
    EXPECT_NE(table.find("2.00 x two kernels"), std::string::npos);
    EXPECT_NE(table.find("not measured"), std::string::npos) << "the other kernels";
    EXPECT_THROW(markdown_table(every_kernel(), {scratch.write("broken.jsonl", "{")}), std::invalid_argument);
}

TEST(KernelTable, shows_share_and_goal_or_why_there_is_none) {
    EXPECT_NE(table_line(made_up()).find("50.0 %  missed"), std::string::npos);
    Sample failed = made_up();
    failed.outcome = Outcome::failed;
    failed.reason = "out of memory";
    EXPECT_NE(table_line(failed).find("FAILED: out of memory"), std::string::npos);
}

}  // namespace
}  // namespace strata
