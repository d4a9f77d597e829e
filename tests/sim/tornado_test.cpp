#include "sim/search/tornado.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/engine/analytic/hardware_sweep.hpp"
#include "sim/search/step_sobol.hpp"
#include "sim/study/allocation_of.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

struct SweptStep {
    ScenarioFile file{kRoot + "/scenarios/examples/engram-tiers.yaml", kRoot + "/scenarios/models"};
    StudyOptions options{.root = kRoot, .engines = {"analytic"}};
    std::vector<Point> points{file.points().front()};
    Study study = run_study(file, options, points);
    const Run& run() const { return *study.results.front().run; }
};

const Swing& swing_of(const Tornado& tornado, const std::string& input) {
    return *std::find_if(tornado.swings.begin(), tornado.swings.end(),
                         [&](const Swing& s) { return s.input == input; });
}

// A band on the critical path moves the step by what the path says, as long as the path stays where it is.
TEST(Tornado, moves_a_step_by_each_band_as_its_critical_path_says) {
    const SweptStep step;
    const Tornado tornado =
        tornado_of(step.file, step.points.front(), step.run(), {.metric = "decode.step_ms"}, step.options);
    int bands = 0;
    for (const PathTime& time : step.run().path->times) {
        if (!time.has_band()) continue;
        ++bands;
        const Swing& swing = swing_of(tornado, time.name());
        EXPECT_NEAR(swing.high - tornado.base, time.p90_ms - time.ms, 0.02 * (time.p90_ms - time.ms) + 1e-6)
            << time.name();
    }
    EXPECT_GE(bands, 3);
}

TEST(Tornado, of_memory_bound_decode_has_bandwidth_first_among_hardware_and_the_widest_bar_first) {
    const SweptStep step;
    const Tornado tornado =
        tornado_of(step.file, step.points.front(), step.run(), {.metric = "decode.tpot_ms"}, step.options);
    for (std::size_t i = 1; i < tornado.swings.size(); ++i) {
        if (!tornado.swings[i].obstacle.empty()) break;
        EXPECT_GE(tornado.swings[i - 1].width(), tornado.swings[i].width());
    }
    const Swing& memory = swing_of(tornado, "HBM bandwidth");
    EXPECT_GT(memory.low, tornado.base);  // less of it takes longer
    EXPECT_LT(memory.high, tornado.base);
    EXPECT_GT(memory.width(), swing_of(tornado, "host link bandwidth").width());
    // By 10 % of all of a step no more can be gained than 10 %.
    EXPECT_GT(memory.high, tornado.base / 1.1);
}

TEST(Tornado, of_a_quality_is_the_band_of_its_law_and_of_a_cost_also_that_of_rents) {
    const SweptStep step{.file = {kRoot + "/scenarios/engram-allocation.yaml", kModels}};
    const auto tornado = [&](const char* metric) {
        return tornado_of(step.file, step.points.front(), step.run(), {.metric = metric}, step.options);
    };
    const Tornado loss = tornado("quality.loss");
    ASSERT_EQ(loss.swings.size(), 1U);
    EXPECT_EQ(loss.swings.front().input, "allocation law");
    const Scenario scenario = step.file.read(step.points.front(), Catalog(kRoot + "/hwmodels/catalog"));
    const LossEstimate known = allocation_law_of(step.file, kRoot).loss(scenario.rho, scenario.model.name).value();
    EXPECT_EQ(loss.base, known.loss);
    EXPECT_EQ(loss.swings.front().low, known.low);
    EXPECT_EQ(loss.swings.front().high, known.high);
    const Tornado cost = tornado("cost.usd_per_million_tokens");
    EXPECT_GT(cost.swings.size(), 5U);
    EXPECT_EQ(swing_of(cost, "rent").high, step.run().metrics.at("cost.usd_per_million_tokens_high"));
    EXPECT_GT(swing_of(cost, "HBM bandwidth").width(), 0);
}

TEST(Tornado, refuses_a_metric_that_the_point_does_not_have) {
    const SweptStep step;
    EXPECT_THROW(tornado_of(step.file, step.points.front(), step.run(), {.metric = "prefill.ttft_ms"}, step.options),
                 InputError);
}

TEST(StepSobol, shares_add_up_and_an_input_that_nothing_waits_for_has_none) {
    const SweptStep step;
    Inputs inputs(kRoot);
    const StepSobol sobol = step_sobol(step.file.read(step.points.front(), inputs.catalog()), inputs, 0.1,
                                       {.samples = 400, .bootstraps = 20});
    double first = 0;
    for (std::size_t i = 0; i < sobol.names.size(); ++i) {
        first += sobol.result.inputs[i].first;
        const bool waited_for = sobol.names[i] != "drives";  // tables stand in HBM
        EXPECT_TRUE(waited_for || sobol.result.inputs[i].total == 0);
    }
    EXPECT_NEAR(first, 1, 0.15);  // nearly a sum: hardly any interactions
    EXPECT_NEAR(sobol.result.mean / sobol.base_ms, 1, 0.2);
}

}  // namespace
}  // namespace strata
