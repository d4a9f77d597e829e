#include "sim/study/search_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "sim/search/pareto.hpp"
#include "sim/study/allocation_of.hpp"
#include "sim/study/find_binding.hpp"
#include "sim/study/point_runner.hpp"
#include "sim/study/point_store.hpp"
#include "sim/study/refinement.hpp"

namespace strata {

namespace {

// A metric of another kind of workload would leave nothing to choose from, silently.
void check_metrics(const SearchResult& search, const StudyOptions& options) {
    bool any = false;
    for (std::size_t i = 0; i < search.screened.size(); ++i) any = any || search.screened.ran(i);
    if (!any) {
        if (options.store) options.store->discard();
        const auto& obstacles = search.screened.obstacles;
        throw InputError("search: no point runs. " + (obstacles.empty() ? "" : obstacles.begin()->first));
    }
    for (const std::string& metric : search.screened.metrics()) {
        bool known = false;
        for (std::size_t i = 0; i < search.screened.size() && !known; ++i)
            known = !std::isnan(search.screened.value(i, metric));
        if (!known)
            throw InputError("search",
                             metric.starts_with("quality.") ? "model.rho as an axis, where its loss is published"
                                                            : "a metric that a point of this scenario has",
                             fmt::format("'{}', which none has", metric));
    }
}

void choose_eligible(SearchResult& search) {
    for (const Assertion& constraint : search.spec.constraints) search.tally.push_back({.constraint = constraint});
    const Screened& screened = search.screened;
    for (std::size_t i = 0; i < screened.size(); ++i) {
        if (!screened.ran(i)) continue;
        bool holds = true;
        for (ConstraintTally& tally : search.tally) {
            const double value = screened.value(i, tally.constraint.metric);
            const bool held = !std::isnan(value) && tally.constraint.holds(value);
            tally.failed += !held;
            tally.unknown += std::isnan(value);
            holds = holds && held;
        }
        for (const Objective& objective : search.spec.objectives)
            holds = holds && !std::isnan(screened.value(i, objective.metric));
        if (holds) search.eligible.push_back(i);
    }
}

void choose_front(SearchResult& search) {
    std::vector<std::vector<double>> values;
    for (const std::size_t i : search.eligible) {
        auto& of_point = values.emplace_back();
        for (const Objective& objective : search.spec.objectives)
            of_point.push_back(search.screened.value(i, objective.metric) * (objective.maximise ? -1 : 1));
    }
    std::vector<std::size_t> places = pareto_front(values);
    std::stable_sort(places.begin(), places.end(),
                     [&](std::size_t a, std::size_t b) { return values[a].front() < values[b].front(); });
    for (const std::size_t place : places) search.front.push_back(search.eligible[place]);
}

// How far a constraint is from holding, in shares of its bound; at most 0 where it holds.
double violation(const Assertion& constraint, const Run& run) {
    const auto metric = run.metrics.find(constraint.metric);
    if (metric == run.metrics.end()) return 1;
    const double beyond =
        constraint.comparison.front() == '<' ? metric->second - constraint.bound : constraint.bound - metric->second;
    return beyond / (constraint.bound == 0 ? 1 : std::abs(constraint.bound));
}

SearchOptimum optimise_from_best(const ScenarioFile& file, const SearchResult& search, const StudyOptions& options) {
    const std::size_t start = search.front.front();
    const Objective& objective = search.spec.objectives.front();
    const AllocationLaw law = allocation_law_of(file, options.root);
    PointRunner runner(options.root);
    const auto run = [&](const UnitPoint& place) {
        Trial trial;
        try {
            Scenario scenario =
                file.read(file.point_with(search.screened.plan().settings_at(start, place)), runner.catalog());
            if (const std::string obstacle = runner.settle(scenario); !obstacle.empty()) throw InputError(obstacle);
            Run result = runner.run(scenario);
            add_quality(result, scenario, law);
            trial.value = result.metrics.at(objective.metric) * (objective.maximise ? 1 : -1);
            for (const Assertion& constraint : search.spec.constraints)
                trial.violations.push_back(violation(constraint, result));
        } catch (const InputError&) {
            trial.runs = false;
        } catch (const std::out_of_range&) {  // nothing is known of the objective there
            trial.runs = false;
        }
        return trial;
    };
    SearchOptimum optimum;
    optimum.found = optimise(*search.spec.optimise, search.screened.plan().place(start), run);
    const TriedPlace &first = optimum.found.path.front(), &best = optimum.found.path[optimum.found.best];
    optimum.settings = search.screened.plan().settings_at(start, best.place);
    const double sign = objective.maximise ? 1 : -1;
    optimum.sample_best = sign * first.trial.value;
    optimum.best = sign * best.trial.value;
    optimum.better = best.trial.value > first.trial.value;
    return optimum;
}

}  // namespace

const PointResult* SearchResult::result_of(std::size_t of_refined) const {
    const std::size_t engines = study.engines.size();
    for (std::size_t e = engines; e-- > 0;)
        if (const PointResult& result = study.results[of_refined * engines + e]; result.run) return &result;
    return nullptr;
}

const PointResult* SearchResult::recommended_result() const { return recommended ? result_of(*recommended) : nullptr; }

std::optional<std::size_t> SearchResult::runner_up() const {
    std::optional<std::size_t> second;
    const auto better = [&](double a, double b) { return spec.objectives.front().maximise ? a > b : a < b; };
    for (std::size_t i = 0; i < refined.size(); ++i) {
        if (i == recommended || !refined[i].holds || std::isnan(refined[i].refined[0])) continue;
        if (!second || better(refined[i].refined[0], refined[*second].refined[0])) second = i;
    }
    return second;
}

const ConstraintTally* SearchResult::hardest() const {
    const auto most =
        std::max_element(tally.begin(), tally.end(),
                         [](const ConstraintTally& a, const ConstraintTally& b) { return a.failed < b.failed; });
    return most == tally.end() || most->failed == 0 ? nullptr : &*most;
}

std::vector<std::string> metrics_of(const SearchSpec& spec) {
    std::vector<std::string> names;
    const auto add = [&](const std::string& name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    for (const Objective& objective : spec.objectives) add(objective.metric);
    for (const Assertion& constraint : spec.constraints) add(constraint.metric);
    return names;
}

SearchResult run_search(const ScenarioFile& file, const StudyOptions& options) {
    if (!file.search()) throw InputError(file.file(), "a scenario with a search", "none");
    SearchSpec spec = *file.search();
    // --engine analytic keeps to the first phase.
    if (spec.refine && !options.engines.empty() &&
        std::find(options.engines.begin(), options.engines.end(), spec.refine->engine) == options.engines.end())
        spec.refine.reset();
    if (file.is_access() || file.is_collective())
        throw InputError(file.file() + ": search", "a workload of a model: decode, prefill, serving or training",
                         "an access or a collective");
    SearchResult search{.spec = spec,
                        .screened = screen(file, PointPlan(file.axes(), spec.sample, ScenarioFile::kMaxPoints),
                                           metrics_of(spec), options),
                        .study = {}};
    check_metrics(search, options);
    choose_eligible(search);
    choose_front(search);
    if (search.front.empty()) return search;
    if (spec.optimise) search.optimum = optimise_from_best(file, search, options);
    refine(search, file, options);
    if (search.recommended) {
        const std::size_t engines = search.study.engines.size();
        for (std::size_t e = engines; e-- > 0;)
            if (PointResult& result = search.study.results[*search.recommended * engines + e]; result.run) {
                result.binding = find_binding(file, file.point_with(result.settings), *result.run, {}, options);
                break;
            }
    }
    return search;
}

}  // namespace strata
