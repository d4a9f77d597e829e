#include "reports/gate/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "hwmodels/yaml_field.hpp"

namespace strata {

namespace {

bool is_of_one_scenario(const Predictions& predictions) {
    return std::all_of(predictions.begin(), predictions.end(),
                       [&](const PredictedPoint& point) { return point.scenario == predictions.front().scenario; });
}

// By what a point is found again. A name that comes twice (a sweep may repeat a value) is told apart by its number.
std::map<std::string, const PredictedPoint*> by_name(const Predictions& predictions, bool with_scenario) {
    std::map<std::string, const PredictedPoint*> named;
    std::map<std::string, int> seen;
    for (const PredictedPoint& point : predictions) {
        const std::string name = with_scenario ? point.full_name() : point.name;
        const int before = seen[name]++;
        named[before == 0 ? name : fmt::format("{} ({})", name, before + 1)] = &point;
    }
    return named;
}

// Another compiler rounds otherwise: nothing in any unit that metrics have.
bool is_same(const Move& move) {
    constexpr double kRounding = 1e-12;
    return std::abs(move.difference()) <= kRounding * std::max(1.0, std::abs(move.from.value));
}

bool is_within_noise(const Number& from, const Number& to) {
    if (!from.band && !to.band) return false;
    return (!from.band || from.band->holds(to.value)) && (!to.band || to.band->holds(from.value));
}

std::string change_text(const Move& move) {
    return move.percent() ? fmt::format("{:+.3g} %", *move.percent()) : fmt::format("{:+.4g}", move.difference());
}

void judge(Move& move, const ComparisonRules& rules) {
    if (move.within_noise && !rules.strict) return;
    for (const FailIf& rule : rules.fail_if)
        if (rule.matches(move.metric) && rule.fails(move.from.value, move.to.value)) move.failed.push_back(rule.text);
}

std::string failure_text(const Move& move) {
    return fmt::format("{} [{}] went from {:.6g} to {:.6g} ({}): {}", move.metric, move.point, move.from.value,
                       move.to.value, change_text(move), fmt::join(move.failed, ", "));
}

bool is_held(const std::string& metric, const ComparisonRules& rules) {
    return std::any_of(rules.fail_if.begin(), rules.fail_if.end(),
                       [&](const FailIf& rule) { return rule.matches(metric); });
}

void compare_points(const std::string& name, const PredictedPoint& from, const PredictedPoint& to,
                    const ComparisonRules& rules, Comparison& into) {
    if (from.status != to.status) {
        const std::string change = fmt::format("{} was {} and is {}", name, from.status, to.status);
        (from.status == "ok" ? into.lost : into.added).push_back(change);
        if (from.status == "ok" && !rules.fail_if.empty()) into.failures.push_back(change);
        return;
    }
    for (const auto& [metric, number] : from.metrics) {
        const auto other = to.metrics.find(metric);
        if (other == to.metrics.end()) {
            into.lost.push_back(fmt::format("{} of {}", metric, name));
            if (is_held(metric, rules)) into.failures.push_back(into.lost.back() + " is no longer there");
            continue;
        }
        Move move{.point = name, .metric = metric, .from = number, .to = other->second};
        if (is_same(move)) move.to.value = move.from.value;
        move.within_noise = is_within_noise(move.from, move.to);
        judge(move, rules);
        if (is_same(move) && move.failed.empty())
            ++into.same;
        else
            into.moves.push_back(std::move(move));
    }
    for (const auto& [metric, number] : to.metrics)
        if (from.metrics.count(metric) == 0) into.added.push_back(fmt::format("{} of {}", metric, name));
}

// A rule with a slip of the pen in it would pass for ever.
void refuse_rules_of_nothing(const Predictions& from, const ComparisonRules& rules) {
    std::set<std::string> known;
    for (const PredictedPoint& point : from)
        for (const auto& [metric, number] : point.metrics) known.insert(metric);
    const std::vector<std::string> names(known.begin(), known.end());
    for (const FailIf& rule : rules.fail_if) {
        if (names.empty() ||
            std::any_of(names.begin(), names.end(), [&](const std::string& name) { return rule.matches(name); }))
            continue;
        const auto meant = nearest_name(rule.metric, names);
        throw InputError(fmt::format("--fail-if '{}'", rule.text),
                         meant ? "a metric of the old results; did you mean '" + *meant + "'?"
                               : fmt::format("a metric of the old results ({})", fmt::join(names, ", ")),
                         "'" + rule.metric + "'");
    }
}

// By the share that a number moved; from 0 first.
bool moved_further(const Move& a, const Move& b) {
    const auto size = [](const Move& move) {
        return move.percent() ? std::abs(*move.percent()) : std::numeric_limits<double>::infinity();
    };
    return std::tuple(-size(a), a.metric, a.point) < std::tuple(-size(b), b.metric, b.point);
}

}  // namespace

std::optional<double> Move::percent() const {
    if (from.value == 0) return std::nullopt;
    return 100 * difference() / std::abs(from.value);
}

Comparison compare(const Predictions& from, const Predictions& to, const ComparisonRules& rules) {
    refuse_rules_of_nothing(from, rules);
    const bool with_scenario = rules.by_scenario || !is_of_one_scenario(from) || !is_of_one_scenario(to);
    const auto old_points = by_name(from, with_scenario), new_points = by_name(to, with_scenario);
    Comparison comparison;
    for (const auto& [name, point] : old_points) {
        const auto other = new_points.find(name);
        if (other != new_points.end()) {
            compare_points(name, *point, *other->second, rules, comparison);
            continue;
        }
        comparison.lost.push_back(name);
        if (!rules.fail_if.empty()) comparison.failures.push_back(name + " is no longer there");
    }
    for (const auto& [name, point] : new_points)
        if (old_points.count(name) == 0) comparison.added.push_back(name);
    std::stable_sort(comparison.moves.begin(), comparison.moves.end(), moved_further);
    for (const Move& move : comparison.moves)
        if (!move.failed.empty()) comparison.failures.push_back(failure_text(move));
    return comparison;
}

}  // namespace strata
