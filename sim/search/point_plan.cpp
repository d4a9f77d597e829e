#include "sim/search/point_plan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strata {

PointPlan::PointPlan(std::vector<Axis> axes, const std::optional<SampleSpec>& sample, double most)
    : axes_(std::move(axes)) {
    double count = sample ? double(sample->points) : 1;
    for (const Axis& axis : axes_) count *= axis.is_range() ? 1 : double(axis.values.size());
    if (count > most) throw InputError("axes", fmt::format("at most {:g} points", most), fmt::format("{:.0f}", count));
    for (const Axis& axis : axes_) {
        ranges_ += axis.is_range();
        if (!axis.is_range()) combinations_ *= axis.values.size();
    }
    if (!sample)
        drawn_ = {UnitPoint(ranges_)};
    else if (sample->method == SampleMethod::sobol)
        drawn_ = sobol_points(sample->points, ranges_, sample->seed);
    else
        drawn_ = latin_points(sample->points, ranges_, sample->seed);
}

Settings PointPlan::settings_at(std::size_t index, const UnitPoint& place) const {
    std::vector<std::size_t> step(axes_.size(), 0);
    std::size_t rest = index % combinations_;
    for (std::size_t a = axes_.size(); a-- > 0;) {
        if (axes_[a].is_range()) continue;
        step[a] = rest % axes_[a].values.size();
        rest /= axes_[a].values.size();
    }
    Settings settings;
    std::size_t range = 0;
    for (std::size_t a = 0; a < axes_.size(); ++a) {
        const Axis& axis = axes_[a];
        for (std::size_t j = 0; j < axis.paths.size(); ++j)
            settings.emplace_back(axis.paths[j],
                                  axis.is_range() ? axis.ranges[j].value_at(place[range]) : axis.values[step[a]][j]);
        range += axis.is_range();
    }
    return settings;
}

}  // namespace strata
