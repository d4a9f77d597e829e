#include "reports/search_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/recommendation.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr double kClose = 0.02;  // of its bound: a constraint this near is what the point stands at

std::string engine_of(const SearchResult& search) {
    return search.spec.refine ? search.spec.refine->engine : "analytic";
}

std::string metric_text(const SearchResult& search, const RefinedPoint& point, std::size_t objective) {
    return fmt::format("{} {:.5g}", search.spec.objectives[objective].metric, point.refined[objective]);
}

std::string all_metrics(const SearchResult& search, const RefinedPoint& point) {
    std::vector<std::string> texts;
    for (std::size_t k = 0; k < search.spec.objectives.size(); ++k) texts.push_back(metric_text(search, point, k));
    return fmt::format("{}", fmt::join(texts, ", "));
}

std::string counts_text(const SearchResult& search) {
    std::size_t ran = 0;
    for (std::size_t i = 0; i < search.screened.size(); ++i) ran += search.screened.ran(i);
    std::string text = fmt::format("Of {} points the analytic engine ran {}", search.screened.size(), ran);
    if (ran < search.screened.size()) text += " (the others do not fit)";
    text += fmt::format("; {} hold all constraints, {} of them are on the front.", search.eligible.size(),
                        search.front.size());
    if (const ConstraintTally* hardest = search.hardest())
        text += fmt::format(" The constraint that fails most often is '{}': at {} of the points that ran.",
                            hardest->constraint.text, percent(double(hardest->failed) / double(ran)));
    return text;
}

// The constraint with the least room left, in shares of its bound.
std::string room_text(const SearchResult& search, const Run& run) {
    const Assertion* closest = nullptr;
    double least = INFINITY;
    for (const Assertion& constraint : search.spec.constraints) {
        const auto metric = run.metrics.find(constraint.metric);
        if (metric == run.metrics.end() || constraint.bound == 0) continue;
        const double room = std::abs(constraint.bound - metric->second) / std::abs(constraint.bound);
        if (room < least) {
            least = room;
            closest = &constraint;
        }
    }
    if (!closest) return "";
    return fmt::format(" {} '{}': {} of the bound is left.",
                       least < kClose ? "It stands at the constraint" : "The constraint nearest to it is",
                       closest->text, percent(least));
}

std::string recommended_paragraph(const SearchResult& search) {
    if (search.eligible.empty()) return "No point can be recommended: none holds all constraints.";
    if (!search.recommended) return "No point can be recommended: none of the front holds the constraints in systemc.";
    const RefinedPoint& point = search.refined[*search.recommended];
    const Objective& first = search.spec.objectives.front();
    std::string text =
        fmt::format("Recommended: {}: {} ({} engine). Rule: of the points that hold the constraints, {} {}.",
                    settings_text(search.screened.plan().settings(point.point)), all_metrics(search, point),
                    engine_of(search), first.maximise ? "the most" : "the least", first.metric);
    if (const PointResult* result = search.recommended_result()) text += room_text(search, *result->run);
    return text;
}

// Whether an objective is as long as a step, or as short: what the error of its time does to it is known.
bool goes_with_time(const std::string& metric) {
    return metric.starts_with("decode.") || metric.starts_with("prefill.") || metric == "cost.usd_per_million_tokens";
}

// How sure it is that the next best, too, is behind.
std::string certainty_paragraph(const SearchResult& search) {
    const std::optional<std::size_t> second = search.runner_up();
    const Objective& first = search.spec.objectives.front();
    if (!search.recommended || !second || !goes_with_time(first.metric)) return "";
    const auto contender = [&](std::size_t of_refined) {
        const PointResult* result = search.result_of(of_refined);
        const double value = search.refined[of_refined].refined[0];
        return Contender{.speed = first.maximise ? value : 1 / value,
                         .path = result && result->run->path ? &*result->run->path : nullptr};
    };
    const Contender own = contender(*search.recommended), other = contender(*second);
    return certainty_text(settings_text(search.screened.plan().settings(search.refined[*second].point)),
                          own.speed / other.speed - 1, certainty_of(own, other));
}

// What the other objective would cost: both ends of the front.
std::string other_end_paragraph(const SearchResult& search) {
    if (!search.recommended || !search.other_end || search.recommended == search.other_end) return "";
    const RefinedPoint &own = search.refined[*search.recommended], &other = search.refined[*search.other_end];
    const double first = other.refined[0] / own.refined[0] - 1, second = other.refined[1] - own.refined[1];
    return fmt::format("To go for {} instead: {}: {}. That is {:+.4g} in {} and {:+.2f} % in {}.",
                       search.spec.objectives[1].metric, settings_text(search.screened.plan().settings(other.point)),
                       all_metrics(search, other), second, search.spec.objectives[1].metric, 100 * first,
                       search.spec.objectives[0].metric);
}

std::string binding_paragraph(const SearchResult& search) {
    const PointResult* result = search.recommended_result();
    if (!result || !result->binding) return "";
    const Binding& binding = *result->binding;
    if (binding.nothing_to_gain()) return "No resource of its platform holds the recommended point back.";
    const Gain& best = binding.gains.front();
    return fmt::format("What binds it is {}: {:.4g} % more gains {:+.2f} % of {} ({} engine).", best.resource,
                       100 * binding.by, 100 * best.gain, binding.metric, result->engine);
}

std::string agreement_paragraph(const SearchResult& search) {
    if (!search.spec.refine) return "";
    std::size_t front = 0, differ = 0, left = 0, failed = 0;
    const RefinedPoint* widest = nullptr;
    for (const RefinedPoint& point : search.refined) {
        const double difference = point.difference();
        if (!std::isnan(difference) && (!widest || difference > widest->difference())) widest = &point;
        differ += difference > kEnginesDiffer;
        front += point.on_front;
        left += point.on_front && point.holds && !point.stays;
        failed += point.on_front && !point.holds;
    }
    if (!widest) return "None of the points ran in systemc.";
    std::string text = fmt::format(
        "Engines: {} points were run again in systemc, {} of them from the front. {} differ by more than {} in an "
        "objective; the widest difference is {}, at {}.",
        search.refined.size(), front, differ, percent(kEnginesDiffer), percent(widest->difference()),
        settings_text(search.screened.plan().settings(widest->point)));
    text += search.swapped == 0
                ? " The order of the front is the same in both."
                : fmt::format(" The order of the front changes: {} of its {} pairs are the other way round in {}.",
                              search.swapped, front * (front - 1) / 2, search.spec.objectives.front().metric);
    if (left + failed > 0)
        text += fmt::format(" In systemc {} points of the front fall behind others and {} fail a constraint.", left,
                            failed);
    return text;
}

std::string optimum_paragraph(const SearchResult& search) {
    if (!search.optimum) return "";
    const SearchOptimum& optimum = *search.optimum;
    const std::string& metric = search.spec.objectives.front().metric;
    const std::string how = search.spec.optimise->method == OptimiseMethod::cobyla ? "COBYLA" : "DIRECT";
    if (!optimum.better)
        return fmt::format(
            "{} ran {} more points along the ranges from the best of the sample and found none better "
            "than its {} {:.5g}; it ended because {}.",
            how, optimum.found.path.size() - 1, metric, optimum.sample_best, optimum.found.ended);
    std::string text = fmt::format(
        "{} ran {} more points along the ranges from the best of the sample, and found {}: {} {:.6g} "
        "instead of {:.6g} ({:+.3f} %, analytic engine); it ended because {}.",
        how, optimum.found.path.size() - 1, settings_text(optimum.settings), metric, optimum.best, optimum.sample_best,
        100 * (optimum.best / optimum.sample_best - 1), optimum.found.ended);
    if (optimum.refined)
        text += fmt::format(" The {} engine gives {:.6g} there, and {}.", search.spec.refine->engine, *optimum.refined,
                            optimum.holds ? "all constraints hold" : "not all constraints hold");
    return text;
}

// The law of loss knows rho alone; whatever else of the model varies is free in its eyes.
std::string blind_paragraph(const SearchResult& search) {
    const auto& objectives = search.spec.objectives;
    const bool loss = std::any_of(objectives.begin(), objectives.end(),
                                  [](const Objective& o) { return o.metric.starts_with("quality."); });
    if (!loss || search.screened.size() == 0) return "";
    std::vector<std::string> unseen;
    for (const auto& [path, value] : search.screened.plan().settings(0))
        if (path.starts_with("model") && path != kRhoPath) unseen.push_back(path);
    if (unseen.empty()) return "";
    return fmt::format(
        "Not in quality.loss, which knows rho alone: {}. Between points that differ in it the choice is "
        "made by the other objectives.",
        fmt::join(unseen, ", "));
}

}  // namespace

std::string settings_text(const Settings& settings) {
    std::string text;
    for (const auto& [path, value] : settings)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", short_name(path), value);
    return text.empty() ? "the only point" : text;
}

std::vector<std::string> search_text(const SearchResult& search) {
    std::vector<std::string> paragraphs;
    for (std::string& text :
         std::vector<std::string>{recommended_paragraph(search), certainty_paragraph(search),
                                  other_end_paragraph(search), binding_paragraph(search), counts_text(search),
                                  agreement_paragraph(search), optimum_paragraph(search), blind_paragraph(search)})
        if (!text.empty()) paragraphs.push_back(std::move(text));
    return paragraphs;
}

}  // namespace strata
