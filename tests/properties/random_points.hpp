// What every property needs: random scenarios one after the other, and what answers them. A scenario that does not fit
// or lacks a number is no failure, but at least half must run, so that no property holds for want of scenarios.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>

#include "sim/study/analytic_run.hpp"
#include "sim/study/platform_resources.hpp"
#include "tests/properties/random_scenario.hpp"
#include "tests/source_root.hpp"

namespace strata {

constexpr double kRounding = 1e-9;  // of sums in another order, relative

// What is set, as --set of 'strata run' has it.
inline std::vector<std::string> options_of(const PathValues& set) {
    std::vector<std::string> options;
    for (const auto& [path, value] : set) options.push_back(fmt::format("{}={}", path, value));
    return options;
}

// One of them, as it is or with some of its fields set.
class RandomPoint {
public:
    RandomPoint(const std::string& text, std::uint64_t of_seed) : seed(of_seed), document_(YAML::Load(text)) {}

    const std::uint64_t seed;  // for more draws

    ScenarioFile file(const PathValues& set = {}) const { return {"random.yaml", document_, kModels, options_of(set)}; }
    Scenario read(const Catalog& catalog, const PathValues& set = {}) const {
        const ScenarioFile with = file(set);
        return with.read(with.first_point(), catalog);
    }

private:
    YAML::Node document_;
};

// A cost book without what was measured: for what does not depend on prices, since tables take their time.
inline CostBook physics_alone() { return CostBook(kRoot + "/sim/cost/cost_curves.yaml"); }

class RandomPoints : public testing::Test {
protected:
    explicit RandomPoints(CostBook costs = CostBook::of(kRoot))
        : inputs(kRoot, std::make_shared<const CostBook>(std::move(costs))) {}

    using Run = strata::Run;  // a test of googletest has a Run of its own

    // `check` may throw InputError: then the point did not run. The first scenario that fails is the last: its seed and
    // its text are printed.
    template <class Check>
    void each(RandomKind kind, int count, const Check& check) {
        int ran = 0;
        for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(count) && !HasFailure(); ++seed) {
            const std::string text = scenarios.text(kind, seed);
            SCOPED_TRACE(fmt::format("seed {}; 'strata run' replays it from a file:\n{}", seed, text));
            try {
                check(RandomPoint(text, seed));
                ++ran;
            } catch (const InputError&) {
            } catch (const std::exception& error) {
                ADD_FAILURE() << "threw " << error.what();
            }
        }
        if (HasFailure()) return;
        EXPECT_GE(2 * ran, count) << "scenarios that run";
        RecordProperty("ran_percent", 100 * ran / count);
    }

    Run run(const Scenario& scenario) { return analytic_run(scenario, inputs, bench); }
    // With some fields set; nothing where that does not fit.
    std::optional<Run> run_with(const RandomPoint& point, const PathValues& set) {
        try {
            return run(point.read(inputs.catalog(), set));
        } catch (const InputError&) {
            return std::nullopt;
        }
    }
    Inputs inputs;
    AccessBench bench{inputs.catalog()};
    RandomScenarios scenarios{inputs.catalog(), kModels};
};

}  // namespace strata
