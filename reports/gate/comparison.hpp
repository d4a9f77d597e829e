// Two sets of predictions against each other: what moved, how far, and whether that is more than anybody could tell.
#pragma once

#include <string>
#include <vector>

#include "reports/gate/fail_if.hpp"
#include "reports/gate/predictions.hpp"

namespace strata {

// A metric of a point that is in both.
struct Move {
    std::string point, metric;
    Number from, to;
    bool within_noise = false;          // each lies in the other's band, where there is one
    std::vector<std::string> failed{};  // what it was held against and does not pass

    double difference() const { return to.value - from.value; }
    // Of the old value; none where that is 0.
    std::optional<double> percent() const;
};

struct ComparisonRules {
    std::vector<FailIf> fail_if{};
    bool strict = false;       // a move within noise fails like any other
    bool by_scenario = false;  // points are of their scenario also where each side has one alone
};

struct Comparison {
    std::vector<Move> moves;              // every metric that is not what it was, the largest share first
    std::size_t same = 0;                 // metrics that are what they were
    std::vector<std::string> lost;        // points and metrics that are in the old alone
    std::vector<std::string> added;       // and in the new alone
    std::vector<std::string> failures{};  // what makes it fail, as sentences
};

// Points are matched by scenario and name; where each side is of one scenario, by name alone unless
// the rules say otherwise. Throws InputError for a
// rule that matches no metric of the old side: it would hold nothing.
Comparison compare(const Predictions& from, const Predictions& to, const ComparisonRules& rules);

}  // namespace strata
