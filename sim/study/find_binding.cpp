#include "sim/study/find_binding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/study/variants.hpp"

namespace strata {

namespace {

// What a kind of point is asked for first. A closed loop of users gives more tokens on a faster machine; what comes at
// its own rate does not, but its requests take less time.
std::string main_metric(const Scenario& scenario, const Run& run) {
    if (scenario.serving) {
        const bool closed = scenario.serving->trace.empty() && scenario.serving->arrivals.per_second == 0;
        return closed ? "serving.output_tokens_per_s_per_accelerator" : "serving.end_to_end_ms";
    }
    for (const char* metric : {"decode.tokens_per_s_per_accelerator", "prefill.tokens_per_s_per_accelerator",
                               "training.tokens_per_s_per_accelerator"})
        if (run.metrics.contains(metric)) return metric;
    throw InputError("--metric", "the metric to gain in: this kind of point has none of its own", "none");
}

bool less_is_better(const std::string& metric) {
    for (const char* unit : {"_ms", "_us", "_ns", "_gb", "_usd", "joules_per_token", "_w_per_accelerator", ".usd_per"})
        if (metric.find(unit) != std::string::npos) return true;
    return false;
}

double gain_of(const std::string& metric, double before, double after) {
    return (less_is_better(metric) ? before / after : after / before) - 1;
}

Gain compared(const Variants& variants, const PlatformResource& resource, const PathValues& other_device,
              const std::string& metric, double by) {
    Gain gain{.resource = resource.name, .settings = changed(resource, other_device)};
    const PointResult &before = variants.of(compared_with(resource, other_device)), &after = variants.of(gain.settings);
    for (const PointResult* result : {&before, &after}) {
        if (result->run && !result->run->metrics.contains(metric))
            throw InputError("--metric", "a metric of this point", "'" + metric + "'");
        if (!result->run) gain.obstacle = result->reason;
    }
    if (!gain.obstacle.empty()) return gain;
    gain.gain = gain_of(metric, before.run->metrics.at(metric), after.run->metrics.at(metric));
    gain.elasticity = std::log1p(gain.gain) / std::log1p(by);
    return gain;
}

std::vector<Gain> gains_of(Variants& variants, const std::vector<PlatformResource>& resources,
                           const PathValues& other_device, const std::string& metric, double by) {
    for (const PlatformResource& resource : resources) {
        variants.ask(compared_with(resource, other_device));
        variants.ask(changed(resource, other_device));
    }
    variants.run();
    std::vector<Gain> gains;
    for (const PlatformResource& resource : resources)
        gains.push_back(compared(variants, resource, other_device, metric, by));
    std::stable_sort(gains.begin(), gains.end(), [](const Gain& a, const Gain& b) { return a.gain > b.gain; });
    return gains;
}

bool share_a_field(const PlatformResource& a, const PlatformResource& b) {
    return std::any_of(a.better.begin(), a.better.end(), [&](const auto& of_a) {
        return std::any_of(b.better.begin(), b.better.end(),
                           [&](const auto& of_b) { return of_a.first == of_b.first; });
    });
}

std::vector<PlatformResource> pairs_of(const std::vector<PlatformResource>& resources) {
    std::vector<PlatformResource> pairs;
    for (std::size_t i = 0; i < resources.size(); ++i)
        for (std::size_t j = i + 1; j < resources.size(); ++j) {
            const PlatformResource &a = resources[i], &b = resources[j];
            if (share_a_field(a, b)) continue;
            PlatformResource both{.name = fmt::format("{} and {}", a.name, b.name), .better = a.better};
            both.better.insert(both.better.end(), b.better.begin(), b.better.end());
            both.of_device = a.of_device || b.of_device;
            pairs.push_back(std::move(both));
        }
    return pairs;
}

}  // namespace

Binding find_binding(const ScenarioFile& file, const Point& point, const Run& base, const BindingOptions& asked,
                     const StudyOptions& options) {
    const Catalog catalog(options.root + "/hwmodels/catalog");
    const Scenario scenario = file.read(point, catalog);
    if (scenario.access || scenario.collective)
        throw InputError("binds", "a point of a model; what looks at one part alone is bound by that",
                         scenario.access ? "access" : "collective");
    Binding binding{
        .metric = asked.metric.empty() ? main_metric(scenario, base) : asked.metric, .by = asked.by, .gains = {}};
    const auto metric = base.metrics.find(binding.metric);
    if (metric == base.metrics.end())
        throw InputError("--metric", "a metric of this point", "'" + binding.metric + "'");
    binding.base = metric->second;
    std::vector<PlatformResource> resources = improvable_resources(scenario.platform, asked.by);
    for (const PlatformResource& resource : resources)
        if (!resource.known) binding.unknown.push_back(resource.name);
    std::erase_if(resources, [](const PlatformResource& resource) { return !resource.known; });
    StudyOptions quiet = options;
    quiet.engines = {base.engine};
    quiet.progress = {};
    Variants variants(file, point, base, quiet);
    const PathValues other_device = as_another_device(scenario.platform);
    binding.gains = gains_of(variants, resources, other_device, binding.metric, asked.by);
    if (!binding.gains.empty() && binding.gains.front().gain < kFewGain) {
        binding.pairs = gains_of(variants, pairs_of(resources), other_device, binding.metric, asked.by);
        if (binding.pairs.size() > kPairsShown) binding.pairs.resize(kPairsShown);
    }
    return binding;
}

void find_bindings(Study& study, const ScenarioFile& file, const BindingOptions& binding, const StudyOptions& options) {
    const std::vector<Point> points = file.points();
    const std::size_t engines = study.engines.size();
    for (std::size_t i = 0; i < study.results.size(); ++i)
        if (PointResult& result = study.results[i]; result.run)
            result.binding = find_binding(file, points[i / engines], *result.run, binding, options);
}

}  // namespace strata
