// Which points a search runs, without making them: values of axes cross each other, and each combination of them gets
// every point that was drawn from the ranges, so that combinations are compared at the same places.
#pragma once

#include <optional>

#include "sim/scenario/search_field.hpp"
#include "sim/search/sampling.hpp"

namespace strata {

class PointPlan {
public:
    // Throws InputError for more than `most` points.
    PointPlan(std::vector<Axis> axes, const std::optional<SampleSpec>& sample, double most);

    std::size_t size() const { return combinations_ * drawn_.size(); }
    std::size_t ranges() const { return ranges_; }
    // What point `index` sets, in the order of the axes. The values of the last axis vary fastest, places slowest.
    Settings settings(std::size_t index) const { return settings_at(index, place(index)); }
    const UnitPoint& place(std::size_t index) const { return drawn_[index / combinations_]; }
    // With the values of point `index` and another place in the ranges.
    Settings settings_at(std::size_t index, const UnitPoint& place) const;

private:
    std::vector<Axis> axes_;
    std::size_t combinations_ = 1, ranges_ = 0;
    std::vector<UnitPoint> drawn_;
};

}  // namespace strata
