// A search in two phases: every point by the analytic engine, keeping little of each; then the front, the constrained
// optimum and what binds it by the engine that sees contention.
#pragma once

#include "sim/search/continuous_optimum.hpp"
#include "sim/study/screening.hpp"

namespace strata {

constexpr double kEnginesDiffer = 0.05;  // in an objective: worth a word

// What became of one constraint over all points that ran.
struct ConstraintTally {
    Assertion constraint;
    std::size_t failed = 0;   // points that do not hold it
    std::size_t unknown = 0;  // points without that metric: they do not hold it either
};

// A point that was looked at again, by both engines if the search refines.
struct RefinedPoint {
    std::size_t point = 0;                      // of the screened
    bool on_front = false;                      // by the screening
    std::vector<double> screened{}, refined{};  // by objective; NaN where there is none
    bool holds = false;                         // the constraints, by the more detailed engine
    bool stays = false;                         // on the front of all refined points, by their refined values
    // The largest relative difference of an objective; NaN if it was not refined.
    double difference() const;
};

struct SearchOptimum {
    ContinuousOptimum found;
    Settings settings;       // of its best place
    double sample_best = 0;  // the first objective there and at the best of the sample
    double best = 0;
    bool better = false;
    std::optional<double> refined{};  // the first objective there by the engine that refines; only if it is better
    bool holds = false;               // the constraints, by that engine
};

struct SearchResult {
    SearchSpec spec;
    Screened screened;
    std::vector<std::size_t> eligible{};  // points that ran, hold all constraints and have all objectives
    std::vector<std::size_t> front{};     // of these, in the order of the first objective, best first
    std::vector<ConstraintTally> tally{};
    std::vector<RefinedPoint> refined{};       // in the same order; the front, what it was thinned to, and neighbours
    Study study;                               // of these points, each by every engine
    std::optional<std::size_t> recommended{};  // of `refined`
    std::optional<std::size_t> other_end{};    // of `refined`: best by the second objective
    std::size_t swapped = 0;                   // pairs of the front that the refined first objective orders otherwise
    std::optional<SearchOptimum> optimum{};

    // The result of one of `refined` by the most detailed engine that ran it; null if none did.
    const PointResult* result_of(std::size_t of_refined) const;
    // Of the recommended point; null if nothing is recommended.
    const PointResult* recommended_result() const;
    // Of `refined`: best by the first objective of the others that hold the constraints.
    std::optional<std::size_t> runner_up() const;
    // The constraint that most points fail; null if all hold all.
    const ConstraintTally* hardest() const;
};

// What the first phase keeps of each point: the metrics of objectives and constraints.
std::vector<std::string> metrics_of(const SearchSpec& spec);

// Throws InputError for a scenario without a search, or one that asks for a metric that no point has.
SearchResult run_search(const ScenarioFile& file, const StudyOptions& options);

}  // namespace strata
