#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

// What a study without steps is decided by: the first of these that its points have.
struct Decider {
    const char* metric;
    bool less_is_better;
};
constexpr Decider kDeciders[]{{"serving.goodput_per_s", false},
                              {"serving.output_tokens_per_s_per_accelerator", false},
                              {"goodput.tokens_per_day", false},
                              {"training.tokens_per_s_per_accelerator", false},
                              {"collective.time_us", true}};

double metric_of(const PointResult& result, const std::string& name) {
    const auto found = result.run->metrics.find(name);
    return found == result.run->metrics.end() ? std::nan("") : found->second;
}

std::vector<const PointResult*> best_first(const Study& study, const Decider& by) {
    std::vector<const PointResult*> order;
    const std::string engine = most_detailed_engine(study);
    for (const PointResult& result : study.results)
        if (ran(result) && result.engine == engine && !std::isnan(metric_of(result, by.metric)))
            order.push_back(&result);
    std::stable_sort(order.begin(), order.end(), [&](const PointResult* a, const PointResult* b) {
        const double of_a = metric_of(*a, by.metric), of_b = metric_of(*b, by.metric);
        return by.less_is_better ? of_a < of_b : of_a > of_b;
    });
    return order;
}

// What was found by running again where that was asked for, else the lane that is busiest.
std::string binding_text(const PointResult& result) {
    if (result.binding)
        return result.binding->nothing_to_gain()
                   ? "No resource of its platform holds it back."
                   : fmt::format("What binds it is {}: {:.4g} % more of that gains {:+.2f} %.",
                                 result.binding->gains.front().resource, 100 * result.binding->by,
                                 100 * result.binding->gains.front().gain);
    if (result.run->bottleneck.empty()) return {};
    const double busy = *std::max_element(result.run->utilisation.begin(), result.run->utilisation.end());
    const std::string share = busy > 0 ? fmt::format(" ({} busy)", percent(busy)) : "";
    return fmt::format("It is bound by {}{}.", result.run->bottleneck, share);
}

std::string joined(const std::vector<std::string>& sentences) {
    std::string text;
    for (const std::string& sentence : sentences)
        if (!sentence.empty()) text += (text.empty() ? "" : " ") + sentence;
    return text;
}

}  // namespace

std::optional<Section> conclusion_section(const Study& study, const Recommendation& recommendation) {
    if (!recommendation.point || study.results.size() < 2) return std::nullopt;
    const PointResult& best = *recommendation.point;
    std::string first = fmt::format("Best is {} with {} tokens/s per accelerator.", label_of(best, study),
                                    plain(tokens_per_s(*best.run)));
    std::string second, certainty = certainty_text(recommendation, study);
    if (const PointResult* next = recommendation.runner_up)
        second = fmt::format("Next is {} with {}, {} less.", label_of(*next, study), plain(tokens_per_s(*next->run)),
                             percent(1 - tokens_per_s(*next->run) / tokens_per_s(*best.run)));
    const auto slowest =
        std::min_element(recommendation.choices.begin(), recommendation.choices.end(),
                         [](const auto* a, const auto* b) { return tokens_per_s(*a->run) < tokens_per_s(*b->run); });
    std::string last;
    if (recommendation.choices.size() > 2)
        last = fmt::format("The last of {} that qualify, {}, has {} less.", recommendation.choices.size(),
                           label_of(**slowest, study),
                           percent(1 - tokens_per_s(*(*slowest)->run) / tokens_per_s(*best.run)));
    return Section{.title = "Conclusion", .paragraphs = {joined({first, second, last, binding_text(best), certainty})}};
}

std::optional<Section> conclusion_section(const Study& study) {
    for (const Decider& by : kDeciders) {
        const std::vector<const PointResult*> order = best_first(study, by);
        if (order.size() < 2) continue;
        const double best = metric_of(*order.front(), by.metric), next = metric_of(*order[1], by.metric),
                     last = metric_of(*order.back(), by.metric);
        const char* verb = by.less_is_better ? "lowest" : "highest";
        return Section{
            .title = "Conclusion",
            .paragraphs = {joined(
                {fmt::format("Best by {}, {} first, is {} with {}.", by.metric, verb, label_of(*order.front(), study),
                             plain(best)),
                 fmt::format("Next is {} with {} ({:+.1f} %).", label_of(*order[1], study), plain(next),
                             100 * (next / best - 1)),
                 order.size() < 3 ? ""
                                  : fmt::format("Last of {} is {} with {} ({:+.1f} %).", order.size(),
                                                label_of(*order.back(), study), plain(last), 100 * (last / best - 1)),
                 binding_text(*order.front()),
                 "How far off its times may be is not carried through this kind of point."})}};
    }
    return std::nullopt;
}

}  // namespace strata
