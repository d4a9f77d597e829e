// The rate and the concurrency that a scenario asks the largest of.
#include "sim/study/largest_load.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/study/study.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

Study study_of(const std::string& load, const std::string& rest = "") {
    const std::string document = fmt::format(
        "{{model: v4-flash, platform: {{system: HGX_H200}}, placement: {{tp: 8}}, workload: {{kind: serving, "
        "requests: 100, input: {{least: 200, most: 2000}}, output: {{least: 20, most: 200}}, ttft_limit_ms: 500, "
        "tpot_limit_ms: 20, {}}}{}}}",
        load, rest);
    return run_study(ScenarioFile("test", YAML::Load(document), kRoot + "/scenarios/models"), {.root = kRoot});
}

PointResult run_under(const std::string& load) { return study_of(load).results.front(); }
double metric(const PointResult& result, const std::string& name) {
    EXPECT_EQ(result.status, PointStatus::ok) << result.reason;
    return result.run ? result.run->metrics.at(name) : 0;
}

TEST(LargestLoad, rate_holds_the_target_and_a_hundredth_more_does_not) {
    for (const char* target :
         {"serving.served_well >= 0.9", "serving.ttft_p99_ms <= 800", "serving.tpot_p90_ms < 12"}) {
        const PointResult found = run_under(fmt::format("concurrency: 64, rate: {{largest_with: '{}'}}", target));
        const double rate = metric(found, "workload.rate");
        const auto holds = [&](double tried) {
            const PointResult result = run_under(fmt::format("concurrency: 64, rate: {}", tried));
            const std::string name = std::string(target).substr(0, std::string(target).find(' '));
            const double bound = std::stod(std::string(target).substr(std::string(target).rfind(' ')));
            const double value = metric(result, name);
            return std::string(target).find('>') != std::string::npos ? value >= bound : value <= bound;
        };
        EXPECT_GT(rate, 0.1) << target;
        EXPECT_TRUE(holds(rate)) << target;
        EXPECT_FALSE(holds(rate * 1.0055)) << target << " at " << rate;
    }
}

TEST(LargestLoad, rate_says_when_there_is_none) {
    const PointResult tight = run_under("concurrency: 64, rate: {largest_with: 'serving.ttft_p50_ms <= 1'}");
    EXPECT_EQ(tight.status, PointStatus::infeasible);
    EXPECT_NE(tight.reason.find("workload.rate: expected a rate with serving.ttft_p50_ms <= 1"), std::string::npos)
        << tight.reason;
    EXPECT_NE(tight.reason.find("where they hardly ever meet"), std::string::npos) << tight.reason;
    const PointResult loose = run_under("concurrency: 64, rate: {largest_with: 'serving.ttft_p99_ms <= 1e9'}");
    EXPECT_EQ(loose.status, PointStatus::infeasible);
    EXPECT_NE(loose.reason.find("all 100 requests come at once"), std::string::npos) << loose.reason;
    const PointResult other = run_under("concurrency: 64, rate: {largest_with: 'decode.tpot_ms <= 20'}");
    EXPECT_NE(other.reason.find("a metric of serving"), std::string::npos) << other.reason;
}

// Every concurrency tried one by one.
TEST(LargestLoad, concurrency_is_what_trying_each_finds) {
    double before = 0;
    std::vector<double> tpot;
    for (int users = 1; users <= 20; ++users) {
        tpot.push_back(metric(run_under(fmt::format("concurrency: {}", users)), "serving.tpot_p50_ms"));
        EXPECT_GE(tpot.back(), 0.99 * before);
        before = tpot.back();
    }
    for (const double share : {0.3, 0.8}) {
        const double bound = tpot.front() + share * (tpot.back() - tpot.front());
        int last = 0;
        for (int users = 1; users <= 20; ++users)
            if (tpot[std::size_t(users) - 1] <= bound) last = users;
        const PointResult found =
            run_under(fmt::format("concurrency: {{largest_with: 'serving.tpot_p50_ms <= {:.9f}'}}", bound));
        EXPECT_NEAR(metric(found, "workload.concurrency"), last, 1) << bound;
    }
    const PointResult all = run_under("concurrency: {largest_with: 'serving.tpot_p50_ms <= 1e6'}");
    EXPECT_EQ(metric(all, "workload.concurrency"), 100);  // requests
    EXPECT_NE(run_under("concurrency: {largest_with: 'serving.tpot_p50_ms <= 0.01'}").reason.find("at 1"),
              std::string::npos);
}

TEST(LargestLoad, is_each_points_own) {
    const Study study = study_of("concurrency: 64, rate: {largest_with: 'serving.served_well >= 0.9'}",
                                 ", axes: [{path: workload.tpot_limit_ms, values: [12, 20]}]");
    EXPECT_LT(metric(study.results[0], "workload.rate"), metric(study.results[1], "workload.rate"));
}

TEST(LargestLoad, finds_one_number_of_one_kind) {
    EXPECT_THROW(run_under("concurrency: {largest_with: 'serving.tpot_ms <= 9'}, rate: {largest_with: "
                           "'serving.tpot_ms <= 9'}"),
                 InputError);
    EXPECT_THROW(run_under("rate: {largest: 'serving.tpot_ms <= 9'}"), InputError);
    EXPECT_THROW(run_under("rate: {largest_with: 'serving.tpot_ms = 9'}"), InputError);
}

}  // namespace
}  // namespace strata
