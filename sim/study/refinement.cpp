#include "sim/study/refinement.hpp"

#include <algorithm>
#include <set>

#include "sim/search/pareto.hpp"
#include "sim/study/allocation_of.hpp"

namespace strata {

namespace {

double screened_value(const SearchResult& search, std::size_t point, std::size_t objective) {
    return search.screened.value(point, search.spec.objectives[objective].metric);
}

// The front or what it is thinned to: always its best by each objective.
std::set<std::size_t> chosen_of_front(const SearchResult& search) {
    const std::size_t at_most = search.spec.refine ? search.spec.refine->at_most : RefineSpec{}.at_most;
    const bool whole = !search.spec.refine || search.spec.refine->front;
    std::set<std::size_t> chosen{search.front.front()};
    if (!whole) return chosen;
    for (const std::size_t place : thinned(search.front.size(), at_most)) chosen.insert(search.front[place]);
    for (std::size_t k = 1; k < search.spec.objectives.size(); ++k)
        chosen.insert(*std::max_element(search.front.begin(), search.front.end(), [&](std::size_t a, std::size_t b) {
            return search.spec.objectives[k].advantage(screened_value(search, b, k), screened_value(search, a, k)) > 0;
        }));
    return chosen;
}

// Of each chosen point the eligible ones nearest to it in the objectives, each scaled by its range over the front.
void add_neighbours(const SearchResult& search, std::size_t count, std::set<std::size_t>& chosen) {
    const std::size_t objectives = search.spec.objectives.size();
    std::vector<double> range(objectives);
    for (std::size_t k = 0; k < objectives; ++k) {
        double low = INFINITY, high = -INFINITY;
        for (const std::size_t point : search.front) {
            low = std::min(low, screened_value(search, point, k));
            high = std::max(high, screened_value(search, point, k));
        }
        range[k] = high > low ? high - low : std::max(std::abs(high), 1e-300);
    }
    const std::set<std::size_t> of_front = chosen;
    const std::set<std::size_t> whole_front(search.front.begin(), search.front.end());
    for (const std::size_t centre : of_front) {
        std::vector<std::pair<double, std::size_t>> near;
        for (const std::size_t point : search.eligible) {
            if (whole_front.contains(point)) continue;
            double distance = 0;
            for (std::size_t k = 0; k < objectives; ++k) {
                const double d = (screened_value(search, point, k) - screened_value(search, centre, k)) / range[k];
                distance += d * d;
            }
            near.emplace_back(distance, point);
        }
        const std::size_t kept = std::min(count, near.size());
        std::partial_sort(near.begin(), near.begin() + std::ptrdiff_t(kept), near.end());
        for (std::size_t i = 0; i < kept; ++i) chosen.insert(near[i].second);
    }
}

bool holds_all(const SearchSpec& spec, const Run& run) {
    return std::all_of(spec.constraints.begin(), spec.constraints.end(), [&](const Assertion& constraint) {
        const auto metric = run.metrics.find(constraint.metric);
        return metric != run.metrics.end() && constraint.holds(metric->second);
    });
}

// The most detailed engine's run of a refined point; null if it failed.
const Run* detailed_run(const SearchResult& search, std::size_t index) {
    const PointResult& result = search.study.results[(index + 1) * search.study.engines.size() - 1];
    return result.run ? &*result.run : nullptr;
}

void read_refined(SearchResult& search) {
    std::vector<std::vector<double>> values;
    for (std::size_t i = 0; i < search.refined.size(); ++i) {
        RefinedPoint& point = search.refined[i];
        const Run* run = detailed_run(search, i);
        point.holds = run && holds_all(search.spec, *run);
        auto& small = values.emplace_back();
        for (std::size_t k = 0; k < search.spec.objectives.size(); ++k) {
            const Objective& objective = search.spec.objectives[k];
            point.screened.push_back(screened_value(search, point.point, k));
            const bool known = run && run->metrics.contains(objective.metric);
            point.refined.push_back(known ? run->metrics.at(objective.metric) : kUnknown);
            small.push_back(point.holds ? point.refined.back() * (objective.maximise ? -1 : 1) : kUnknown);
        }
    }
    for (const std::size_t i : pareto_front(values)) search.refined[i].stays = true;
}

// By the refined values: the best that holds, by the first objective and by the second.
std::optional<std::size_t> best_by(const SearchResult& search, std::size_t objective) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < search.refined.size(); ++i) {
        if (!search.refined[i].stays) continue;
        const auto value = [&](std::size_t at) { return search.refined[at].refined[objective]; };
        if (!best || search.spec.objectives[objective].advantage(value(i), value(*best)) > 0) best = i;
    }
    return best;
}

std::size_t swapped_pairs(const SearchResult& search) {
    const Objective& first = search.spec.objectives.front();
    std::size_t swapped = 0;
    for (std::size_t i = 0; i < search.refined.size(); ++i)
        for (std::size_t j = i + 1; j < search.refined.size(); ++j) {
            const RefinedPoint &a = search.refined[i], &b = search.refined[j];
            if (!a.on_front || !b.on_front) continue;
            swapped += first.advantage(a.screened.front(), b.screened.front()) *
                           first.advantage(a.refined.front(), b.refined.front()) <
                       0;
        }
    return swapped;
}

// What the engine that refines says of the place that the search along the ranges found.
void refine_optimum(SearchResult& search, const ScenarioFile& file, const StudyOptions& options,
                    const AllocationLaw& law, const Catalog& catalog) {
    SearchOptimum& optimum = *search.optimum;
    StudyOptions detailed = options;
    detailed.engines = {search.spec.refine->engine};
    Study study = run_study(file, detailed, std::vector<Settings>{optimum.settings});
    PointResult& result = study.results.front();
    if (!result.run) return;
    add_quality(*result.run, file.read(file.point_with(optimum.settings), catalog), law);
    const std::string& metric = search.spec.objectives.front().metric;
    if (result.run->metrics.contains(metric)) optimum.refined = result.run->metrics.at(metric);
    optimum.holds = holds_all(search.spec, *result.run);
}

}  // namespace

double RefinedPoint::difference() const {
    double most = kUnknown;
    for (std::size_t k = 0; k < refined.size(); ++k) {
        if (std::isnan(refined[k])) continue;
        const double difference = std::abs(refined[k] / screened[k] - 1);
        if (!(difference <= most)) most = difference;
    }
    return most;
}

std::vector<std::size_t> thinned(std::size_t count, std::size_t at_most) {
    std::vector<std::size_t> places;
    const std::size_t kept = std::min(count, at_most);
    for (std::size_t i = 0; i < kept; ++i)
        places.push_back(kept < 2 ? 0 : (i * (count - 1) + (kept - 1) / 2) / (kept - 1));
    return places;
}

void refine(SearchResult& search, const ScenarioFile& file, const StudyOptions& options) {
    std::set<std::size_t> chosen = chosen_of_front(search);
    if (search.spec.refine) add_neighbours(search, search.spec.refine->neighbours, chosen);
    std::vector<std::size_t> order(chosen.begin(), chosen.end());
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return search.spec.objectives.front().advantage(screened_value(search, a, 0), screened_value(search, b, 0)) > 0;
    });
    const std::set<std::size_t> front(search.front.begin(), search.front.end());
    std::vector<Point> points;
    for (const std::size_t point : order) {
        search.refined.push_back({.point = point, .on_front = front.contains(point)});
        points.push_back(file.point_with(search.screened.plan().settings(point)));
    }
    StudyOptions both = options;
    both.engines = {"analytic"};
    if (search.spec.refine) both.engines.push_back(search.spec.refine->engine);
    search.study = run_study(file, both, points);
    // Loss follows from rho, whatever the engine.
    const AllocationLaw law = allocation_law_of(file, options.root);
    const Catalog catalog(options.root + "/hwmodels/catalog");
    for (std::size_t i = 0; i < search.study.results.size(); ++i)
        if (auto& run = search.study.results[i].run)
            add_quality(*run, file.read(points[i / both.engines.size()], catalog), law);
    read_refined(search);
    search.recommended = best_by(search, 0);
    if (search.spec.objectives.size() > 1) search.other_end = best_by(search, 1);
    search.swapped = swapped_pairs(search);
    if (search.spec.refine && search.optimum && search.optimum->better)
        refine_optimum(search, file, options, law, catalog);
}

}  // namespace strata
