#include "sim/scenario/search_field.hpp"

#include <algorithm>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/metric_names.hpp"

namespace strata {

namespace {

constexpr long long kMostPoints = 10'000'000;  // as of a sweep

std::size_t count_in(const YamlField& field, long long least, long long most, std::size_t fallback) {
    if (!field.exists()) return fallback;
    const long long count = field.integer(least);
    if (count < least || count > most)
        field.problem(fmt::format("a whole number from {} to {}", least, most), std::to_string(count));
    return static_cast<std::size_t>(std::max(count, 0LL));
}

SampleSpec read_sample(const YamlField& field) {
    field.allow_only({"method", "points", "seed"});
    SampleSpec sample;
    if (field["method"].exists())
        sample.method =
            one_of<SampleMethod>(field["method"], {{"sobol", SampleMethod::sobol}, {"latin", SampleMethod::latin}});
    if (!field["points"].exists()) field["points"].problem("how many points to draw, such as 1024", "nothing");
    sample.points = count_in(field["points"], 1, kMostPoints, 1);
    sample.seed = count_in(field["seed"], 0, 1LL << 53, 0);
    return sample;
}

Objective read_objective(const YamlField& field) {
    field.allow_only({"metric", "sense"});
    Choices<std::string> metrics;
    for (const std::string& name : metric_names()) metrics.emplace_back(name, name);
    return {.metric = one_of<std::string>(field["metric"], metrics),
            .maximise = one_of<bool>(field["sense"], {{"max", true}, {"min", false}})};
}

RefineSpec read_refine(const YamlField& field) {
    field.allow_only({"engine", "front", "neighbours", "at_most"});
    RefineSpec refine;
    if (field["engine"].exists()) refine.engine = one_of<std::string>(field["engine"], {{"systemc", "systemc"}});
    if (field["front"].exists()) refine.front = field["front"].boolean(true);
    refine.neighbours = count_in(field["neighbours"], 0, 1000, refine.neighbours);
    refine.at_most = count_in(field["at_most"], 2, 100000, refine.at_most);
    return refine;
}

OptimiseSpec read_optimise(const YamlField& field) {
    field.allow_only({"method", "evaluations"});
    OptimiseSpec optimise;
    if (field["method"].exists())
        optimise.method = one_of<OptimiseMethod>(
            field["method"], {{"cobyla", OptimiseMethod::cobyla}, {"direct", OptimiseMethod::direct}});
    optimise.evaluations = static_cast<int>(count_in(field["evaluations"], 1, 1'000'000, 100));
    return optimise;
}

// Ranges need a sample, and what works on ranges needs one of them.
void check_ranges(const YamlField& field, const YamlField& axes_field, const std::vector<Axis>& axes) {
    const bool any_range = std::any_of(axes.begin(), axes.end(), [](const Axis& axis) { return axis.is_range(); });
    if (any_range && !field["sample"].exists())
        field["sample"].problem("how points are drawn from the axes that are ranges, such as {points: 1024}",
                                "nothing");
    for (const char* name : {"sample", "optimise"})
        if (!any_range && field[name].exists())
            axes_field.problem(fmt::format("an axis with a range for search.{} to work on", name), "none");
}

}  // namespace

std::optional<SearchSpec> read_search(const YamlField& field, const YamlField& axes_field,
                                      const std::vector<Axis>& axes) {
    check_ranges(field, axes_field, axes);
    if (!field.exists()) return std::nullopt;
    field.allow_only({"sample", "objectives", "constraints", "refine", "optimise"});
    SearchSpec search;
    if (field["sample"].exists()) search.sample = read_sample(field["sample"]);
    for (const YamlField& objective : field["objectives"].items())
        search.objectives.push_back(read_objective(objective));
    if (field["objectives"].is_sequence() && search.objectives.empty())
        field["objectives"].problem("at least one objective", "none");
    if (field["constraints"].exists())
        for (const YamlField& constraint : field["constraints"].items())
            if (const auto assertion = read_assertion(constraint)) search.constraints.push_back(*assertion);
    if (field["refine"].exists()) search.refine = read_refine(field["refine"]);
    if (field["optimise"].exists()) search.optimise = read_optimise(field["optimise"]);
    return search;
}

}  // namespace strata
