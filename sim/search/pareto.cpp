#include "sim/search/pareto.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace strata {

namespace {

using Values = std::vector<std::vector<double>>;

// In the order of the first objective, then the second, and so on: what dominates a point stands before it.
std::vector<std::size_t> sorted(const Values& values) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (std::none_of(values[i].begin(), values[i].end(), [](double v) { return std::isnan(v); }))
            order.push_back(i);
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] != values[b] ? values[a] < values[b] : a < b; });
    return order;
}

// Each is on the front unless one before it has as little of the second objective: equal ones share their fate.
std::vector<std::size_t> front_of_two(const Values& values, const std::vector<std::size_t>& order) {
    std::vector<std::size_t> front;
    double least = std::numeric_limits<double>::infinity();
    for (const std::size_t i : order) {
        const bool equal = !front.empty() && values[front.back()] == values[i];
        if (!front.empty() && !equal && values[i][1] >= least) continue;
        least = std::min(least, values[i][1]);
        front.push_back(i);
    }
    return front;
}

std::vector<std::size_t> front_of_more(const Values& values, const std::vector<std::size_t>& order) {
    std::vector<std::size_t> front;
    for (const std::size_t i : order)
        if (std::none_of(front.begin(), front.end(), [&](std::size_t f) { return dominates(values[f], values[i]); }))
            front.push_back(i);
    return front;
}

}  // namespace

bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
    bool better = false;
    for (std::size_t k = 0; k < a.size(); ++k) {
        if (!(a[k] <= b[k])) return false;
        better = better || a[k] < b[k];
    }
    return better;
}

std::vector<std::size_t> pareto_front(const Values& values) {
    const std::vector<std::size_t> order = sorted(values);
    if (order.empty()) return {};
    std::vector<std::size_t> front =
        values[order.front()].size() == 2 ? front_of_two(values, order) : front_of_more(values, order);
    std::sort(front.begin(), front.end());
    return front;
}

}  // namespace strata
