// A small copy of the allocation study: 8 places for each of its 36 combinations, its front through systemc.
#include "sim/study/search_study.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "reports/search_text.hpp"
#include "sim/search/pareto.hpp"
#include "sim/study/refinement.hpp"
#include "sim/study/screening.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

const std::string kStudy = kRoot + "/scenarios/studies/engram-allocation-tradeoff.yaml";

StudyOptions options_of(int jobs) {
    return {.root = kRoot, .jobs = jobs, .simulator = STRATA_BINARY_DIR "/strata-simulate"};
}

const std::vector<std::string> kQuickSearch{"search.sample.points=8", "search.refine.at_most=4",
                                            "search.optimise.evaluations=15"};

ScenarioFile small_study() { return ScenarioFile(kStudy, kRoot + "/scenarios/models", kQuickSearch); }

const SearchResult& small_search() {
    static const SearchResult search = run_search(small_study(), options_of(2));
    return search;
}

TEST(Search, screens_every_point_as_a_study_of_it_would) {
    const SearchResult& search = small_search();
    ASSERT_EQ(search.screened.size(), 288u);
    const ScenarioFile file = small_study();
    std::vector<std::size_t> some;
    std::vector<Point> points;
    for (const std::size_t i : thinned(search.screened.size(), 20)) {
        some.push_back(i);
        points.push_back(file.point_with(search.screened.plan().settings(i)));
    }
    StudyOptions analytic = options_of(1);
    analytic.engines = {"analytic"};
    const Study study = run_study(file, analytic, points);
    std::size_t ran = 0;
    for (std::size_t i = 0; i < some.size(); ++i) {
        ASSERT_EQ(search.screened.ran(some[i]), study.results[i].run.has_value()) << i;
        if (!study.results[i].run) continue;
        ++ran;
        for (const char* metric : {"cost.usd_per_million_tokens", "decode.tpot_ms"})
            EXPECT_EQ(search.screened.value(some[i], metric), study.results[i].run->metrics.at(metric)) << i;
    }
    EXPECT_GT(ran, 3u);
}

// Of a step only the groups of metrics that are asked for are made.
TEST(Search, has_the_numbers_of_a_run_whatever_it_is_asked_for) {
    const ScenarioFile file = small_study();
    const PointPlan plan(file.axes(), file.search()->sample, ScenarioFile::kMaxPoints);
    StudyOptions analytic = options_of(1);
    analytic.engines = {"analytic"};
    std::set<std::string> compared;
    for (const std::vector<std::string>& metrics : {std::vector<std::string>{"decode.tpot_ms", "moe.layer_us"},
                                                    {"memory.hbm_gb"},
                                                    {"energy.tokens_per_joule"},
                                                    {"quality.residual_gain", "quality.loss", "cost.usd_per_hour"}}) {
        const Screened screened = screen(file, plan, metrics, analytic);
        std::size_t at = 0;
        while (!screened.ran(at)) ++at;
        const Study study = run_study(file, analytic, {plan.settings(at)});
        for (const std::string& metric : metrics) {
            const auto& known = study.results.front().run->metrics;
            if (!known.contains(metric)) continue;
            EXPECT_EQ(screened.value(at, metric), known.at(metric)) << metric;
            compared.insert(metric);
        }
    }
    EXPECT_GE(compared.size(), 5u) << fmt::format("{}", fmt::join(compared, " "));
}

TEST(Search, does_not_depend_on_the_number_of_threads) {
    const ScenarioFile file = small_study();
    const SearchSpec& spec = *file.search();
    const PointPlan plan(file.axes(), spec.sample, 1e6);
    const Screened one = screen(file, plan, {"decode.tpot_ms"}, options_of(1));
    const Screened three = screen(file, plan, {"decode.tpot_ms"}, options_of(3));
    for (std::size_t i = 0; i < one.size(); ++i) {
        ASSERT_EQ(one.ran(i), three.ran(i)) << i;
        if (!one.ran(i)) continue;
        EXPECT_EQ(one.value(i, 0), three.value(i, 0)) << i;
    }
    EXPECT_EQ(one.obstacles, three.obstacles);
}

TEST(Search, has_the_front_of_the_points_that_hold_the_constraints) {
    const SearchResult& search = small_search();
    std::vector<std::size_t> expected;
    const auto cost = [&](std::size_t i) { return search.screened.value(i, "cost.usd_per_million_tokens"); };
    const auto loss = [&](std::size_t i) { return search.screened.value(i, "quality.loss"); };
    const auto holds = [&](std::size_t i) {
        return search.screened.ran(i) && search.screened.value(i, "decode.tpot_ms") <= 50 && loss(i) <= 1.7129;
    };
    std::size_t eligible = 0;
    for (std::size_t i = 0; i < search.screened.size(); ++i) {
        if (!holds(i)) continue;
        ++eligible;
        bool beaten = false;
        for (std::size_t j = 0; j < search.screened.size() && !beaten; ++j)
            beaten = holds(j) && dominates({cost(j), loss(j)}, {cost(i), loss(i)});
        if (!beaten) expected.push_back(i);
    }
    EXPECT_EQ(search.eligible.size(), eligible);
    std::vector<std::size_t> front = search.front;
    EXPECT_TRUE(std::is_sorted(front.begin(), front.end(), [&](auto a, auto b) { return cost(a) < cost(b); }));
    std::sort(front.begin(), front.end());
    EXPECT_EQ(front, expected);
    EXPECT_GE(front.size(), 1u);
}

TEST(Search, recommends_what_holds_in_systemc_and_says_what_binds_it) {
    const SearchResult& search = small_search();
    ASSERT_TRUE(search.recommended);
    const PointResult& result = *search.recommended_result();
    EXPECT_EQ(result.engine, "systemc");
    EXPECT_LE(result.run->metrics.at("decode.tpot_ms"), 50);
    EXPECT_LE(result.run->metrics.at("quality.loss"), 1.7129);
    ASSERT_TRUE(result.binding);
    EXPECT_FALSE(result.binding->gains.empty());
    for (const RefinedPoint& point : search.refined)
        EXPECT_TRUE(!point.holds || point.refined[0] >= search.refined[*search.recommended].refined[0]);
}

TEST(Search, says_how_sure_it_is_that_the_runner_up_is_behind) {
    const SearchResult& search = small_search();
    const auto second = search.runner_up();
    ASSERT_TRUE(second && search.recommended);
    EXPECT_NE(*second, *search.recommended);
    EXPECT_TRUE(search.refined[*second].holds);
    EXPECT_GE(search.refined[*second].refined[0], search.refined[*search.recommended].refined[0]);
    const std::vector<std::string> text = search_text(search);
    EXPECT_TRUE(std::any_of(text.begin(), text.end(), [](const std::string& paragraph) {
        return paragraph.starts_with("First ahead of second") || paragraph.starts_with("The second");
    }));
}

TEST(Search, holds_the_engines_against_each_other) {
    const SearchResult& search = small_search();
    for (std::size_t i = 0; i < search.refined.size(); ++i) {
        const auto cost = [&](std::size_t result) {
            return search.study.results[result].run->metrics.at("cost.usd_per_million_tokens");
        };
        const double a = cost(2 * i), s = cost(2 * i + 1);
        EXPECT_EQ(search.refined[i].screened[0], a);
        EXPECT_EQ(search.refined[i].refined[0], s);
        EXPECT_DOUBLE_EQ(search.refined[i].difference(), std::abs(s / a - 1));  // loss does not differ
    }
}

TEST(Search, counts_what_keeps_points_out) {
    const SearchResult& search = small_search();
    std::size_t ran = 0, slow = 0, not_run = 0;
    for (std::size_t i = 0; i < search.screened.size(); ++i) {
        ran += search.screened.ran(i);
        slow += search.screened.ran(i) && !(search.screened.value(i, "decode.tpot_ms") <= 50);
    }
    for (const auto& [reason, count] : search.screened.obstacles) not_run += count;
    EXPECT_EQ(ran + not_run, search.screened.size());
    EXPECT_EQ(search.tally[0].failed, slow);
    ASSERT_NE(search.hardest(), nullptr);
    EXPECT_EQ(search.hardest()->failed, std::max(search.tally[0].failed, search.tally[1].failed));
}

TEST(Search, optimises_from_the_best_of_the_sample_and_never_ends_below_it) {
    const SearchResult& search = small_search();
    ASSERT_TRUE(search.optimum);
    EXPECT_EQ(search.optimum->sample_best, search.screened.value(search.front.front(), 0));
    EXPECT_LE(search.optimum->best, search.optimum->sample_best);
    EXPECT_TRUE(search.optimum->found.path[search.optimum->found.best].trial.feasible());
    EXPECT_LE(search.optimum->found.path.size(), 15u);
    ASSERT_EQ(search.optimum->refined.has_value(), search.optimum->better && search.spec.refine);
    EXPECT_NEAR(search.optimum->refined.value_or(search.optimum->best) / search.optimum->best, 1, kEnginesDiffer);
}

TEST(Search, names_the_constraint_that_fails_where_no_point_is_left) {
    std::vector<std::string> set = kQuickSearch;
    set.push_back("search.constraints=[decode.tpot_ms <= 0.001, quality.loss <= 2]");
    const SearchResult search = run_search(ScenarioFile(kStudy, kRoot + "/scenarios/models", set), options_of(2));
    EXPECT_TRUE(search.eligible.empty());
    EXPECT_EQ(search.recommended_result(), nullptr);
    EXPECT_EQ(search.hardest()->constraint.metric, "decode.tpot_ms");
}

std::string refused(const std::string& text) {
    try {
        const ScenarioFile file("test", YAML::Load(text), kRoot + "/scenarios/models");
        (void)run_search(file, options_of(1));
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

const std::string kPoint =
    "model: v4.1-flash, platform: {system: HGX_H200}, placement: {dp: 8, ep: 8}, workload: {kind: decode, batch: 8}";

TEST(Search, refuses_what_it_cannot_do) {
    const auto with = [](const std::string& more) { return refused("{" + kPoint + ", " + more + "}"); };
    const std::string cheapest = "objectives: [{metric: decode.tpot_ms, sense: min}]";
    const std::string rho = "axes: [{path: model.rho, range: {from: 0.4, to: 1}}]";
    EXPECT_NE(with(rho).find("search.sample: expected how points are drawn"), std::string::npos);
    EXPECT_NE(with("search: {sample: {points: 4}, " + cheapest + "}").find("axes: expected an axis with a range"),
              std::string::npos);
    EXPECT_NE(
        with("axes: [{path: model.rho, range: {from: 1, to: 0.4}}], search: {sample: {points: 4}, " + cheapest + "}")
            .find("axes[0].range: expected ends with 'from' below 'to', found 1 to 0.4"),
        std::string::npos);
    EXPECT_NE(with("search: {objectives: []}").find("at least one objective"), std::string::npos);
    EXPECT_NE(
        with("search: {objectives: [{metric: prefill.ttft_ms, sense: min}]}").find("'prefill.ttft_ms', which none"),
        std::string::npos);
}

}  // namespace
}  // namespace strata
