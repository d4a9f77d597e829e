// An assertion held against one result, with all that a CI page shows of it: what was measured against which limit, how
// much is left, and where the number comes from.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/study.hpp"

namespace strata {

struct CheckedAssertion {
    Assertion assertion;
    std::string place{};  // where it is written, file:line:column; empty: not in a file
    std::vector<std::pair<std::string, std::string>> settings;  // of the point
    std::string engine;
    PointStatus status = PointStatus::ok;
    std::string reason;              // why there is nothing to hold: the point does not fit, or failed
    std::optional<double> measured;  // present if ok
    std::string provenance, shares;  // "interpolated"; "interpolated 81 %, modelled 19 %"

    bool holds() const { return measured && assertion.holds(*measured); }
    // What is left before it fails, in the metric's unit; below 0 it has failed.
    std::optional<double> margin() const;
    // The same over the limit; none where that is 0.
    std::optional<double> relative_margin() const;
    // "workload.batch=64, analytic".
    std::string point() const;
};

// Where the assertions of a scenario's file are written, by their text.
using AssertionPlaces = std::map<std::string, std::string>;
AssertionPlaces assertion_places(const std::string& scenario_file);

// Each assertion on each result. Throws InputError for one on a metric that a result does not have.
std::vector<CheckedAssertion> checked_assertions(const std::vector<Assertion>& assertions,
                                                 const std::vector<PointResult>& results,
                                                 const AssertionPlaces& places = {});

}  // namespace strata
