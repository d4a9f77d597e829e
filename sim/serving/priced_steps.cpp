#include "sim/serving/priced_steps.hpp"

#include <algorithm>

namespace strata {

namespace {

struct Between {
    std::size_t below, above;
    double share;  // of the way from below to above
};

Between between(const std::vector<double>& axis, double value) {
    const auto above = static_cast<std::size_t>(std::lower_bound(axis.begin(), axis.end(), value) - axis.begin());
    if (above == 0) return {0, 0, 0};
    if (above == axis.size()) return {above - 1, above - 1, 0};
    return {above - 1, above, (value - axis[above - 1]) / (axis[above] - axis[above - 1])};
}

}  // namespace

PricedSteps::PricedSteps(std::vector<double> rows, std::vector<double> columns,
                         std::function<StepPrice(double, double)> price)
    : rows_(std::move(rows)),
      columns_(std::move(columns)),
      price_(std::move(price)),
      shapes_(rows_.size() * columns_.size()) {}

Seconds PricedSteps::at(double row, double column) { return step(row, column, 1); }

Seconds PricedSteps::peek(double row, double column) { return step(row, column, 0); }

Seconds PricedSteps::step(double row, double column, double steps) {
    const Between r = between(rows_, row), c = between(columns_, column);
    Seconds time;
    const auto add = [&](std::size_t i, std::size_t j, double weight) {
        if (weight == 0) return;
        Shape& shape = shapes_[i * columns_.size() + j];
        if (!shape.price) shape.price = price_(rows_[i], columns_[j]);
        shape.taken += weight * steps;
        time += shape.price->time * weight;
    };
    add(r.below, c.below, (1 - r.share) * (1 - c.share));
    add(r.below, c.above, (1 - r.share) * c.share);
    add(r.above, c.below, r.share * (1 - c.share));
    add(r.above, c.above, r.share * c.share);
    return time;
}

void PricedSteps::add_time_by_origin(std::map<std::string, double>& seconds) const {
    for (const Shape& shape : shapes_)
        if (shape.taken > 0)
            for (const auto& [origin, share] : shape.price->share_by_origin)
                seconds[origin] += shape.taken * shape.price->time.si() * share;
}

void PricedSteps::add_balance(BalanceOfSteps& sum) const {
    for (const Shape& shape : shapes_) {
        if (!(shape.taken > 0) || !shape.price->balance) continue;
        sum.steps += shape.taken;
        sum.balance.load_max_over_mean += shape.taken * shape.price->balance->load_max_over_mean;
        sum.balance.ranks_of_a_token += shape.taken * shape.price->balance->ranks_of_a_token;
        sum.balance.nodes_of_a_token += shape.taken * shape.price->balance->nodes_of_a_token;
        sum.straggling += shape.price->straggling * shape.taken;
    }
}

std::vector<double> doubling(double least, double most) {
    std::vector<double> points;
    for (double at = least; at < most; at *= 2) points.push_back(at);
    points.push_back(std::max(least, most));
    return points;
}

}  // namespace strata
