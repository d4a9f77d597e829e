#include "sim/serving/step_times.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

// Between which two points of an axis `value` lies, and how far from the first to the second.
struct Place {
    std::size_t below = 0, above = 0;
    double share = 0;
};

Place place_on(const std::vector<double>& axis, double value, const std::string& name) {
    if (axis.empty() || !(value >= axis.front() && value <= axis.back()))
        throw InputError(name,
                         axis.empty() ? "a table with rows and columns"
                                      : fmt::format("a shape in [{}, {}]", axis.front(), axis.back()),
                         fmt::format("{}", value));
    const auto above = static_cast<std::size_t>(std::lower_bound(axis.begin(), axis.end(), value) - axis.begin());
    if (axis[above] == value) return {above, above, 0};
    return {above - 1, above, (value - axis[above - 1]) / (axis[above] - axis[above - 1])};
}

}  // namespace

StepTable StepTable::of(std::string name, std::vector<double> rows, std::vector<double> columns,
                        const std::function<Seconds(double, double)>& time) {
    StepTable table{std::move(name), std::move(rows), std::move(columns), {}};
    for (const std::vector<double>* axis : {&table.rows, &table.columns})
        if (axis->empty() || !std::is_sorted(axis->begin(), axis->end(), std::less_equal<>()))
            throw InputError(table.name, "shapes in ascending order", fmt::format("{} of them", axis->size()));
    table.times.reserve(table.rows.size() * table.columns.size());
    for (const double row : table.rows)
        for (const double column : table.columns) table.times.push_back(time(row, column));
    return table;
}

Seconds StepTable::at(double row, double column) const {
    const Place r = place_on(rows, row, name), c = place_on(columns, column, name);
    const auto along = [&](std::size_t i) {
        const Seconds left = times[i * columns.size() + c.below], right = times[i * columns.size() + c.above];
        return left + (right - left) * c.share;
    };
    const Seconds below = along(r.below);
    return below + (along(r.above) - below) * r.share;
}

StepTimes step_times_from(StepTable decode, StepTable prefill) {
    return {
        .decode = [table = std::move(decode)](double batch, double context) { return table.at(batch, context); },
        .prefill = [table = std::move(prefill)](double tokens, double context) { return table.at(tokens, context); }};
}

}  // namespace strata
