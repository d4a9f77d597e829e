// What a search looks for among the points of a scenario, and how it goes about it: field `search`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/assertion.hpp"
#include "sim/scenario/axis.hpp"

namespace strata {

enum class SampleMethod {
    sobol,  // low-discrepancy sequence with a random digital shift
    latin   // each of `points` slices of every range is hit once
};

// How points are drawn from the axes that are ranges; each combination of the other axes' values gets all of them.
struct SampleSpec {
    SampleMethod method = SampleMethod::sobol;
    std::size_t points = 1;
    std::uint64_t seed = 0;
};

struct Objective {
    std::string metric;
    bool maximise = true;
    // Positive where a is better than b.
    double advantage(double a, double b) const { return maximise ? a - b : b - a; }
};

// What is run again by the engine that sees contention.
struct RefineSpec {
    std::string engine = "systemc";
    bool front = true;           // else the constrained optimum alone
    std::size_t neighbours = 0;  // of each of them, so many of the nearest in the objectives
    std::size_t at_most = 64;    // a longer front is thinned evenly
};

enum class OptimiseMethod {
    cobyla,  // linear models in a trust region, local (Powell 1994)
    direct   // divides rectangles, global (Jones, Perttunen and Stuckman 1993)
};

// Along the ranges, from the best point of the sample, with the other axes as that point has them.
struct OptimiseSpec {
    OptimiseMethod method = OptimiseMethod::cobyla;
    int evaluations = 100;
};

struct SearchSpec {
    std::optional<SampleSpec> sample{};
    std::vector<Objective> objectives{};  // the first decides between points that hold the constraints
    std::vector<Assertion> constraints{};
    std::optional<RefineSpec> refine{};
    std::optional<OptimiseSpec> optimise{};
};

// Nothing where there is no such field. What does not fit to the axes is a problem of `axes_field` or of the search.
std::optional<SearchSpec> read_search(const YamlField& field, const YamlField& axes_field,
                                      const std::vector<Axis>& axes);

}  // namespace strata
