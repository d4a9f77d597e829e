// Two results beside each other: what counts as moved, as noise, as lost, and what fails.
#include "reports/gate/comparison.hpp"

#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "reports/gate/comparison_text.hpp"
#include "reports/gate/step_band.hpp"
#include "reports/render/results_json.hpp"
#include "tests/reports/hand_made_study.hpp"

namespace strata {
namespace {

Predictions one_point(double tpot_ms, std::optional<Band> band = {}, const std::string& scenario = "s") {
    return {{.scenario = scenario,
             .name = "batch=1, analytic",
             .provenance = "interpolated",
             .metrics = {{"decode.tpot_ms", {tpot_ms, band}}, {"memory.hbm_gb", {50}}}}};
}

ComparisonRules rules(const std::string& rule, bool strict = false) {
    return {.fail_if = {parse_fail_if(rule)}, .strict = strict};
}

TEST(Comparison, lists_what_moved_with_difference_and_share_and_counts_the_rest) {
    const Comparison found = compare(one_point(20), one_point(25), {});
    ASSERT_EQ(found.moves.size(), 1u);
    EXPECT_EQ(found.moves[0].metric, "decode.tpot_ms");
    EXPECT_EQ(found.moves[0].difference(), 5);
    EXPECT_EQ(found.moves[0].percent(), 25);
    EXPECT_EQ(found.same, 1u);
    EXPECT_TRUE(found.failures.empty());
}

TEST(Comparison, a_rule_fails_what_moved_too_far_and_says_so) {
    const Comparison found = compare(one_point(20), one_point(25), rules("decode.tpot_ms > 10%"));
    ASSERT_EQ(found.failures.size(), 1u);
    EXPECT_EQ(found.failures[0], "decode.tpot_ms [batch=1, analytic] went from 20 to 25 (+25 %): decode.tpot_ms > 10%");
    EXPECT_TRUE(compare(one_point(20), one_point(21), rules("decode.tpot_ms > 10%")).failures.empty());
    EXPECT_NE(comparison_text(found).find("FAILS decode.tpot_ms > 10%"), std::string::npos) << comparison_text(found);
}

// 20 (18 to 23) and 22 (20 to 25): each lies in the other's band; 24 does not lie in the first's.
TEST(Comparison, inside_each_others_band_is_noise_and_fails_only_if_strict) {
    const Predictions from = one_point(20, Band{18, 23}), near = one_point(22, Band{20, 25});
    const Comparison lenient = compare(from, near, rules("decode.tpot_ms > 1%"));
    EXPECT_TRUE(lenient.moves[0].within_noise);
    EXPECT_TRUE(lenient.failures.empty());
    EXPECT_NE(comparison_text(lenient).find("within noise"), std::string::npos);
    EXPECT_EQ(compare(from, near, rules("decode.tpot_ms > 1%", true)).failures.size(), 1u);
    EXPECT_EQ(compare(from, one_point(24, Band{20, 25}), rules("decode.tpot_ms > 1%")).failures.size(), 1u);
    EXPECT_FALSE(compare(one_point(20), one_point(20.1), {}).moves[0].within_noise);  // nobody knows: no excuse
}

TEST(Comparison, what_is_gone_fails_where_something_is_held) {
    Predictions gone = one_point(20);
    gone[0].metrics.erase("decode.tpot_ms");
    EXPECT_EQ(compare(one_point(20), gone, rules("decode.tpot_ms > 1%")).failures.size(), 1u);
    EXPECT_TRUE(compare(one_point(20), gone, {}).failures.empty());
    Predictions infeasible = one_point(20);
    infeasible[0].status = "infeasible";
    EXPECT_EQ(compare(one_point(20), infeasible, rules("memory.* > 1%")).failures,
              std::vector<std::string>{"batch=1, analytic was ok and is infeasible"});
    EXPECT_EQ(compare(one_point(20), {}, rules("memory.* > 1%")).failures.size(), 1u);
}

TEST(Comparison, scenarios_are_told_apart_where_there_are_several) {
    Predictions two = one_point(20, {}, "a"), other = one_point(30, {}, "b");
    two.push_back(other[0]);
    EXPECT_EQ(compare(two, two, {}).same, 4u);
    EXPECT_EQ(compare(two, two, {}).moves.size(), 0u);
    EXPECT_EQ(compare(one_point(20, {}, "a"), one_point(20, {}, "renamed"), {}).same, 2u);
}

TEST(Comparison, a_rule_of_no_metric_is_refused_with_the_nearest) {
    try {
        compare(one_point(20), one_point(25), rules("decode.tpot > 10%"));
        FAIL() << "not refused";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("did you mean 'decode.tpot_ms'?"), std::string::npos) << error.what();
    }
}

// Two families, 6 and 2 ms, p90 at 9 and 6: sqrt(3^2 + 4^2) = 5 above 8; p10 at 6 and 1: 1 below.
TEST(Comparison, bands_of_families_add_as_squares) {
    const CriticalPath path{.device = "d",
                            .times = {{"gemm_fp8", "interpolated", 6, 6, 9}, {"moe_experts", "modelled", 2, 1, 6}}};
    const auto band = step_band(path);
    ASSERT_TRUE(band);
    EXPECT_DOUBLE_EQ(band->high, 1 + 5.0 / 8);
    EXPECT_DOUBLE_EQ(band->low, 1 - 1.0 / 8);
    std::map<std::string, Number> metrics{
        {"decode.tpot_ms", {8}}, {"decode.tokens_per_s", {100}}, {"memory.hbm_gb", {1}}};
    add_step_bands(metrics, *band);
    EXPECT_DOUBLE_EQ(metrics["decode.tpot_ms"].band->high, 13);
    EXPECT_DOUBLE_EQ(metrics["decode.tokens_per_s"].band->low, 100 / 1.625);
    EXPECT_FALSE(metrics["memory.hbm_gb"].band);
    EXPECT_FALSE(step_band({.device = "d", .times = {{"wire", "modelled", 6, 6, 6}}}));
}

TEST(Predictions, of_a_study_and_of_its_results_file_are_the_same) {
    const Study study = hand_made_study();
    const std::string json = results_json(study, {}, Manifest{});
    const Predictions read = predictions_from(json, "results.json"), made = predictions_of(study.name, study.results);
    const Comparison found = compare(read, made, {});
    EXPECT_TRUE(found.moves.empty());
    EXPECT_TRUE(found.lost.empty() && found.added.empty());
    EXPECT_EQ(found.same, 10 * hand_made_run("analytic", 1).metrics.size());
    EXPECT_EQ(read[0].name, "model.rho=0.4, placement.engram.tier=hbm, analytic");
    EXPECT_EQ(read[0].provenance, "interpolated");
    EXPECT_EQ(read.back().status, "infeasible");
}

TEST(Predictions, of_another_file_are_refused_with_what_was_expected) {
    const auto complaint = [](const std::string& text) -> std::string {
        try {
            predictions_from(text, "f.json");
        } catch (const InputError& error) {
            return error.what();
        }
        return "none";
    };
    EXPECT_NE(complaint("{}").find("f.json: expected results of 'strata run --json'"), std::string::npos);
    EXPECT_NE(complaint("[1").find("f.json: no JSON"), std::string::npos);
    EXPECT_NE(
        complaint(R"({"schema":"strata-results/1","scenario":"s","points":[{"engine":3}]})").find("f.json: a field"),
        std::string::npos);
    EXPECT_NE(complaint(R"({"schema":"other/1"})").find("found schema 'other/1'"), std::string::npos);
}

}  // namespace
}  // namespace strata
