// The best place of a box by NLopt, and the way there.
#pragma once

#include <functional>
#include <string>

#include "sim/scenario/search_field.hpp"
#include "sim/search/sampling.hpp"

namespace strata {

// What is found at a place: `value` is to be large, each of `violations` at most 0.
struct Trial {
    bool runs = true;  // else there is nothing to know but that
    double value = 0;
    std::vector<double> violations{};
    bool feasible() const;
};

struct TriedPlace {
    UnitPoint place;
    Trial trial;
};

struct ContinuousOptimum {
    std::vector<TriedPlace> path;  // every place that was run, in order; the start is the first
    std::size_t best = 0;          // of `path`: the highest value that holds; the start if none does
    std::string ended;             // why it stopped
};

// Each place is run once. `start` must run.
ContinuousOptimum optimise(const OptimiseSpec& spec, const UnitPoint& start,
                           const std::function<Trial(const UnitPoint&)>& run);

}  // namespace strata
