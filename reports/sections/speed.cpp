#include <fmt/format.h>

#include <algorithm>

#include "reports/gate/step_band.hpp"
#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

constexpr std::size_t kMaxGroups = 6;  // more lines than this are not told apart

// The colours of the combinations that are shown: those with the highest throughput.
std::vector<int> shown_colours(const std::vector<Group>& groups) {
    std::vector<std::pair<double, int>> best;
    for (const Group& group : groups) {
        double highest = 0;
        for (const PointResult* point : group.results)
            if (ran(*point)) highest = std::max(highest, tokens_per_s(*point->run));
        const auto known = std::find_if(best.begin(), best.end(), [&](auto& b) { return b.second == group.colour; });
        if (known == best.end())
            best.emplace_back(highest, group.colour);
        else
            known->first = std::max(known->first, highest);
    }
    std::stable_sort(best.begin(), best.end(), [](auto& a, auto& b) { return a.first > b.first; });
    if (best.size() > kMaxGroups) best.resize(kMaxGroups);
    std::vector<int> colours;
    for (const auto& entry : best) colours.push_back(entry.second);
    std::sort(colours.begin(), colours.end());
    return colours;
}

double time_if(const Run& run, double stretch) { return time_ms(run) * stretch; }
double tokens_per_s_if(const Run& run, double stretch) { return tokens_per_s(run) / stretch; }

// Where a group's points may lie, as far as it is known.
Series band_of(const Group& group, const XAxis& x, int colour, double (*value)(const Run&, double stretch)) {
    Series band{"p10 to p90, by the costs' errors", SeriesStyle::band, false, colour};
    for (const PointResult* point : group.results) {
        const auto at = x.position(*point);
        if (!at || !ran(*point) || !point->run->path) continue;
        const auto step = step_band(*point->run->path);
        if (!step || step->low <= 0) continue;
        const double ends[]{value(*point->run, step->low), value(*point->run, step->high)};
        band.points.push_back({*at, std::min(ends[0], ends[1]), std::max(ends[0], ends[1])});
    }
    std::ranges::stable_sort(band.points, {}, &ChartPoint::x);
    return band;
}

// `value` is what a run shows if its step took `stretch` times as long. A lone line has its band; those of several
// would hide each other.
std::vector<Series> series_of(const Study& study, const XAxis& x, const std::vector<Group>& groups,
                              const std::vector<int>& colours, double (*value)(const Run&, double stretch)) {
    const std::string detailed = most_detailed_engine(study);
    const bool coincide = widest_difference(study).value_or(1) < kEnginesAgree;
    std::vector<Series> all;
    const Group* lone = nullptr;
    for (const Group& group : groups) {
        if (coincide && group.engine != detailed) continue;
        const auto colour = std::find(colours.begin(), colours.end(), group.colour);
        if (colour == colours.end()) continue;
        Series series{coincide && !group.settings.empty() ? group.settings : series_name(group, study),
                      x.axis.categories.empty() ? SeriesStyle::line : SeriesStyle::bar, group.engine != detailed,
                      int(colour - colours.begin())};
        for (const PointResult* point : group.results)
            if (const auto at = x.position(*point); at && ran(*point))
                series.points.push_back({*at, value(*point->run, 1)});
        std::ranges::stable_sort(series.points, {}, &ChartPoint::x);
        if (series.points.empty()) continue;
        lone = all.empty() ? &group : nullptr;
        all.push_back(series);
    }
    if (lone && all.front().style == SeriesStyle::line)
        if (Series band = band_of(*lone, x, all.front().colour, value); band.points.size() > 1)
            all.insert(all.begin(), std::move(band));
    return all;
}

std::string span_text(const Study& study, const std::string& engine) {
    const PointResult *fast = nullptr, *slow = nullptr;
    for (const PointResult& result : study.results) {
        if (!ran(result) || result.engine != engine) continue;
        if (!fast || tokens_per_s(*result.run) > tokens_per_s(*fast->run)) fast = &result;
        if (!slow || tokens_per_s(*result.run) < tokens_per_s(*slow->run)) slow = &result;
    }
    return fmt::format("By the {} engine: from {} tokens/s per accelerator ({}) to {} ({}).", engine,
                       plain(tokens_per_s(*slow->run)), label_of(*slow, study), plain(tokens_per_s(*fast->run)),
                       label_of(*fast, study));
}

// How much the settings beside x matter at all: lines that coincide should be said to coincide.
std::string spread_text(const Study& study, const XAxis& x, const std::string& engine) {
    std::vector<std::pair<double, std::pair<double, double>>> at;  // x -> lowest, highest time
    for (const PointResult& result : study.results) {
        const auto position = x.position(result);
        if (!ran(result) || result.engine != engine || !position) continue;
        const double time = time_ms(*result.run);
        const auto known = std::find_if(at.begin(), at.end(), [&](auto& entry) { return entry.first == *position; });
        if (known == at.end())
            at.push_back({*position, {time, time}});
        else
            known->second = {std::min(known->second.first, time), std::max(known->second.second, time)};
    }
    double widest = 0;
    for (const auto& entry : at) widest = std::max(widest, entry.second.second / entry.second.first - 1);
    return fmt::format("At any one value of {}, the other settings change the time by at most {}.", short_name(x.path),
                       percent(widest));
}

// Where tables are swapped: how long a copy takes, and what waiting for them costs at worst.
std::string swaps_text(const Study& study) {
    double shortest = 0, longest = 0, waited = 0;
    for (const PointResult& result : study.results) {
        if (!ran(result) || !result.run->metrics.contains("engram.swap_ms")) continue;
        const double ms = result.run->metrics.at("engram.swap_ms");
        shortest = longest > 0 ? std::min(shortest, ms) : ms;
        longest = std::max(longest, ms);
        waited = std::max(waited, result.run->metrics.at("engram.swap_share"));
    }
    if (longest <= 0) return {};
    const std::string takes =
        shortest < longest ? fmt::format("{} to {}", plain(shortest), plain(longest)) : plain(longest);
    return fmt::format(
        "Where Engram tables are swapped for another domain's, a swap takes {} ms; of the time up to {} is "
        "waited for it. What a copy behind a step takes from the step's own fetches is not in it.",
        takes, percent(waited));
}

}  // namespace

std::optional<Section> speed_section(const Study& study, const Recommendation& chosen) {
    const auto x = x_axis_of(study);
    if (!x || chosen.engine.empty()) return std::nullopt;
    const std::vector<Group> groups = groups_of(study, x);
    const std::vector<int> colours = shown_colours(groups);
    const Run& any = *std::find_if(study.results.begin(), study.results.end(), ran)->run;
    Section section{.title = "Throughput and latency"};
    section.paragraphs = {span_text(study, chosen.engine)};
    if (const auto widest = widest_difference(study); widest && *widest < kEnginesAgree)
        section.paragraphs.push_back("The analytic engine's lines coincide with these and are not drawn.");
    const std::size_t combinations = groups.size() / std::max<std::size_t>(1, engines_that_ran(study).size());
    if (combinations > 1) section.paragraphs.push_back(spread_text(study, *x, chosen.engine));
    if (const std::string swaps = swaps_text(study); !swaps.empty()) section.paragraphs.push_back(swaps);
    section.charts = {{"throughput",
                       "Throughput of an accelerator",
                       x->axis,
                       {"tokens/s per accelerator"},
                       series_of(study, *x, groups, colours, tokens_per_s_if)},
                      {"latency",
                       any.metrics.count("decode.tpot_ms") ? "Time per output token" : "Time to first token",
                       x->axis,
                       {speed_names(any).time_label},
                       series_of(study, *x, groups, colours, time_if)}};
    if (chosen.point)
        if (const auto at = x->position(*chosen.point)) {
            section.charts[0].annotations = {{"recommended", *at, tokens_per_s(*chosen.point->run)}};
            section.charts[1].annotations = {{"recommended", *at, time_ms(*chosen.point->run)}};
        }
    if (colours.size() < combinations)
        section.footnotes = {
            fmt::format("The charts show the {} of {} combinations with the highest throughput; all "
                        "are in the table of results.",
                        colours.size(), combinations)};
    return section;
}

}  // namespace strata
