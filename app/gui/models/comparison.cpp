#include "app/gui/models/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "app/gui/models/metrics.hpp"

namespace strata {

namespace {

using Values = std::map<std::string, double>;

std::array<double, kTimeKinds.size()> kinds_of(const ComponentTime& time) {
    return {time.memory, time.arithmetic, time.overhead, time.exchange, time.fetch};
}

// In ms over the step.
Values op_times(const Answer& answer) {
    Values times;
    for (const RooflineOp& op : answer.ops) times[op.component + " " + op.name] += op.calls * op.time_us / 1e3;
    for (const auto& [component, time] : answer.run->components) {
        if (time.exchange > 0) times[component + " (exchanges)"] = time.exchange;
        if (time.fetch > 0) times[component + " (fetches)"] = time.fetch;
    }
    return times;
}

std::vector<Difference> differences(const std::vector<Values>& runs, std::size_t looked_at) {
    std::set<std::string> names;
    for (const Values& run : runs)
        for (const auto& [name, value] : run) names.insert(name);
    std::vector<Difference> found;
    for (const std::string& name : names) {
        Difference difference{.what = name, .unit = ""};
        for (const Values& run : runs) {
            const auto at = run.find(name);
            difference.values.push_back(at == run.end() ? std::nullopt : std::optional(at->second));
        }
        const auto &before = difference.values.front(), &after = difference.values[looked_at];
        if (before && after) {
            difference.absolute = *after - *before;
            if (*before != 0) difference.relative = *difference.absolute / std::abs(*before);
        }
        found.push_back(std::move(difference));
    }
    return found;
}

// What is on one side alone has changed beyond all measure.
double size_of(const std::optional<double>& change, const Difference& difference, std::size_t looked_at) {
    if (change) return std::abs(*change);
    const bool one_sided = difference.values.front().has_value() != difference.values[looked_at].has_value();
    return one_sided || (difference.absolute && *difference.absolute != 0) ? std::numeric_limits<double>::infinity()
                                                                           : 0;
}

}  // namespace

std::vector<Difference> metric_differences(const std::vector<NamedAnswer>& runs, std::size_t looked_at) {
    std::vector<Values> values;
    for (const NamedAnswer& run : runs) values.push_back(run.answer->run->metrics);
    std::vector<Difference> found = differences(values, looked_at);
    for (Difference& difference : found) difference.lower_is_better = lower_is_better(difference.what);
    std::ranges::stable_sort(found, std::greater{},
                             [&](const Difference& d) { return size_of(d.relative, d, looked_at); });
    return found;
}

std::vector<Difference> op_differences(const std::vector<NamedAnswer>& runs, std::size_t looked_at) {
    std::vector<Values> values;
    for (const NamedAnswer& run : runs) values.push_back(op_times(*run.answer));
    for (Values& run : values)  // an op that a run does not have takes it no time
        for (const Values& other : values)
            for (const auto& [name, time] : other) run.try_emplace(name, 0);
    std::vector<Difference> found = differences(values, looked_at);
    for (Difference& difference : found) difference.unit = "ms";
    std::ranges::stable_sort(found, std::greater{}, [](const Difference& d) { return std::abs(*d.absolute); });
    return found;
}

std::vector<ComponentDifference> component_differences(const Run& baseline, const Run& other) {
    std::map<std::string, ComponentDifference> found;
    const auto add = [&](const Run& run, double sign) {
        for (const auto& [component, time] : run.components) {
            ComponentDifference& difference = found[component];
            difference.component = component;
            const auto kinds = kinds_of(time);
            for (std::size_t i = 0; i < kinds.size(); ++i) difference.ms[i] += sign * kinds[i];
        }
    };
    add(baseline, -1);
    add(other, 1);
    std::vector<ComponentDifference> sorted;
    for (auto& [component, difference] : found) sorted.push_back(difference);
    const auto size = [](const ComponentDifference& d) {
        double all = 0;
        for (const double ms : d.ms) all += std::abs(ms);
        return all;
    };
    std::ranges::stable_sort(sorted, std::greater{}, size);
    return sorted;
}

}  // namespace strata
