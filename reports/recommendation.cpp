#include "reports/recommendation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr double kSameSpeed = 1e-9;  // relative: rounding
constexpr double kSettled = 0.99;    // beyond it nothing more is worth measuring for the order of the two

bool holds_all(const Run& run, const std::vector<Assertion>& assertions) {
    return std::all_of(assertions.begin(), assertions.end(), [&](const Assertion& assertion) {
        const auto metric = run.metrics.find(assertion.metric);
        return metric != run.metrics.end() && assertion.holds(metric->second);
    });
}

bool slower(const PointResult* a, const PointResult* b) { return tokens_per_s(*a->run) < tokens_per_s(*b->run); }

const PointResult* fastest(const std::vector<const PointResult*>& points) {
    return points.empty() ? nullptr : *std::max_element(points.begin(), points.end(), slower);
}

Contender contender_of(const PointResult& result) {
    return {.speed = tokens_per_s(*result.run), .path = result.run->path ? &*result.run->path : nullptr};
}

void add_runner_up(Recommendation& chosen) {
    std::vector<const PointResult*> others = chosen.choices;
    std::erase(others, chosen.point);
    chosen.runner_up = fastest(others);
    if (chosen.runner_up) chosen.certainty = certainty_of(contender_of(*chosen.point), contender_of(*chosen.runner_up));
}

std::string rule_of(const Recommendation& chosen, bool assertions) {
    const std::string among = assertions ? "points that fit and hold the assertions" : "points that fit";
    if (!chosen.by_loss) return fmt::format("Rule: the fastest of the {} by the {} engine.", among, chosen.engine);
    return fmt::format(
        "Rule: of the {}, take those whose expected loss is within {} of the lowest; of these the fastest by the {} "
        "engine.",
        among, kLossMargin, chosen.engine);
}

}  // namespace

std::optional<LossEstimate> loss_of(const PointResult& result, const AllocationLaw& law, const std::string& model) {
    const std::optional<double> rho = number_setting(result, kRhoPath);
    return rho ? law.loss(*rho, model) : std::nullopt;
}

Recommendation recommend(const Study& study, const std::vector<Assertion>& assertions, const AllocationLaw& law,
                         const std::string& model) {
    Recommendation chosen{.engine = most_detailed_engine(study), .rule = {}};
    double lowest = 1e300;
    for (const PointResult& result : study.results) {
        if (!ran(result) || result.engine != chosen.engine || !is_step(*result.run)) continue;
        if (!holds_all(*result.run, assertions)) continue;
        chosen.choices.push_back(&result);
        if (const auto loss = loss_of(result, law, model)) lowest = std::min(lowest, loss->loss);
    }
    chosen.by_loss = lowest < 1e300;
    if (chosen.by_loss) {
        std::vector<const PointResult*> best;
        for (const PointResult* point : chosen.choices)
            if (const auto loss = loss_of(*point, law, model); loss && loss->loss <= lowest) best.push_back(point);
        chosen.lowest_loss = fastest(best);
        std::erase_if(chosen.choices, [&](const PointResult* point) {
            const auto loss = loss_of(*point, law, model);
            return !loss || loss->loss > lowest + kLossMargin;
        });
    }
    chosen.eligible = chosen.choices.size();
    chosen.point = fastest(chosen.choices);
    chosen.rule = rule_of(chosen, !assertions.empty());
    add_runner_up(chosen);
    return chosen;
}

std::string certainty_text(const std::string& second, double lead, const std::optional<Certainty>& certainty) {
    if (std::abs(lead) < kSameSpeed) return fmt::format("The second, {}, is as fast.", second);
    if (!certainty)
        return fmt::format("First ahead of second ({}) by {}; no known error of the cost book tells them apart.",
                           second, percent(lead));
    std::string text =
        fmt::format("First ahead of second ({}) by {} with probability {:.2f} ({:+.1f} % to {:+.1f} %)", second,
                    percent(lead), certainty->first_ahead, 100 * certainty->p10, 100 * certainty->p90);
    if (!certainty->settled_by.empty() && certainty->first_ahead < kSettled)
        text += fmt::format("; measuring {} would settle it most ({:.0f} % of the difference's variance)",
                            certainty->settled_by, 100 * std::min(1.0, certainty->settled_share));
    if (certainty->unknown_share > 0.005)
        text += fmt::format(". For {} of its time nobody knows the error; that is taken as exact",
                            percent(certainty->unknown_share));
    return text + ".";
}

std::string certainty_text(const Recommendation& recommendation, const Study& study) {
    if (!recommendation.point || !recommendation.runner_up) return {};
    const double lead = tokens_per_s(*recommendation.point->run) / tokens_per_s(*recommendation.runner_up->run) - 1;
    return certainty_text(label_of(*recommendation.runner_up, study), lead, recommendation.certainty);
}

std::string recommended_text(const Recommendation& recommendation, const Study& study, const AllocationLaw& law,
                             const std::string& model) {
    if (!recommendation.point)
        return "No point can be recommended: none fits and holds the assertions.\n" + recommendation.rule;
    const Run& run = *recommendation.point->run;
    const SpeedNames names = speed_names(run);
    std::string text = fmt::format("Recommended: {}: {} tokens/s per accelerator, {} {} ms ({} engine)",
                                   label_of(*recommendation.point, study), plain(tokens_per_s(run)),
                                   names.time_label.substr(0, 4), plain(time_ms(run)), recommendation.engine);
    if (const auto loss = loss_of(*recommendation.point, law, model))
        text += fmt::format(", expected loss {:.4f} ({:.4f} to {:.4f})", loss->loss, loss->low, loss->high);
    text += fmt::format(".\n{} {} of {} results qualify.", recommendation.rule, recommendation.eligible,
                        std::count_if(study.results.begin(), study.results.end(), [&](const PointResult& result) {
                            return result.engine == recommendation.engine;
                        }));
    const std::string certainty = certainty_text(recommendation, study);
    return certainty.empty() ? text : fmt::format("{}\n{}", text, certainty);
}

}  // namespace strata
