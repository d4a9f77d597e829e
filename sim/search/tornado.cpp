#include "sim/search/tornado.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/study/allocation_of.hpp"
#include "sim/study/screening.hpp"
#include "sim/study/variants.hpp"
#include "sim/workload/inputs.hpp"
#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

double metric_of(const Run& run, const std::string& metric) {
    const auto found = run.metrics.find(metric);
    if (found == run.metrics.end()) throw InputError("--metric", "a metric of this point", fmt::format("'{}'", metric));
    return found->second;
}

// The metric of `change` as it would be of the point itself: the same share more or less than what it is held against.
double carried(double base, double against, double change) { return against != 0 ? base * change / against : change; }

std::vector<Swing> hardware_swings(const ScenarioFile& file, const Point& point, const Run& base,
                                   const Scenario& scenario, const TornadoOptions& asked, const StudyOptions& options,
                                   std::vector<std::string>& unknown) {
    const std::vector<PlatformResource> low = improvable_resources(scenario.platform, 1 / (1 + asked.by) - 1),
                                        high = improvable_resources(scenario.platform, asked.by);
    const PathValues other_device = as_another_device(scenario.platform);
    Variants variants(file, point, base, options);
    for (const auto* ends : {&low, &high})
        for (const PlatformResource& resource : *ends) {
            if (!resource.known) continue;
            variants.ask(compared_with(resource, other_device));
            variants.ask(changed(resource, other_device));
        }
    variants.run();
    std::vector<Swing> swings;
    for (std::size_t i = 0; i < high.size(); ++i) {
        if (!high[i].known) {
            unknown.push_back(high[i].name);
            continue;
        }
        Swing swing{.input = high[i].name, .range = fmt::format("/ {0:.4g} to x {0:.4g}", 1 + asked.by)};
        const PointResult &against = variants.of(compared_with(high[i], other_device)),
                          &worse = variants.of(changed(low[i], other_device)),
                          &better = variants.of(changed(high[i], other_device));
        for (const PointResult* result : {&against, &worse, &better})
            if (!result->run) swing.obstacle = result->reason;
        if (swing.obstacle.empty()) {
            const double own = metric_of(base, asked.metric), from = metric_of(*against.run, asked.metric);
            swing.low = carried(own, from, metric_of(*worse.run, asked.metric));
            swing.high = carried(own, from, metric_of(*better.run, asked.metric));
        }
        swings.push_back(std::move(swing));
    }
    return swings;
}

bool by_cost_book(const Task& task) {
    return task.pricing == Pricing::kernel || task.pricing == Pricing::exchange || task.pricing == Pricing::overlapped;
}

std::string factor_of(const Task& task) {
    return fmt::format("{} ({})", to_string(task.family), to_string(task.origin));
}

// The Program with the tasks of one source of error at their p10 or at their p90.
Program at_end_of_band(const Program& program, const std::string& source, bool high) {
    Program changed = program;
    for (Task& task : changed.tasks.distinct())
        if (by_cost_book(task) && factor_of(task) == source)
            task.duration = task.duration * (high ? task.high : task.low);
    if (changed.turns_waited > 0)
        changed.tasks.distinct(0).duration = changed.tasks.distinct(0).latency =
            turn_of(changed) * changed.turns_waited;
    return changed;
}

std::vector<Swing> cost_book_swings(const Scenario& scenario, Inputs& inputs, const std::string& metric) {
    const Program program = inputs.program_of(scenario);
    const Machine& machine = inputs.platform(scenario.platform).machine;
    std::vector<std::string> sources;
    for (const Task& task : program.tasks)
        if (by_cost_book(task) && (task.low < 1 || task.high > 1)) sources.push_back(factor_of(task));
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    const auto at = [&](const std::string& source, bool high) {
        const Program changed = at_end_of_band(program, source, high);
        return metric_of(summarise(scenario, machine, changed, run_analytic(changed), "analytic"), metric);
    };
    std::vector<Swing> swings;
    for (const std::string& source : sources)
        swings.push_back({.input = source, .range = "p10 to p90", .low = at(source, false), .high = at(source, true)});
    return swings;
}

// What sets a metric that comes with a band of its own.
std::string source_of_band(const std::string& metric) {
    if (metric == "quality.loss") return "allocation law";
    if (metric == "quality.residual_gain") return "stability law";
    if (metric == "quality.precision_loss_percent") return "precision law";
    if (metric == "quality.optical_precision") return "optical law";
    return metric.starts_with("cost.") ? "rent" : metric;
}

std::vector<Swing> swings_of_own_band(const Run& base, const std::string& metric) {
    const auto low = base.metrics.find(metric + "_low"), high = base.metrics.find(metric + "_high");
    if (low == base.metrics.end() || high == base.metrics.end()) return {};
    return {{.input = source_of_band(metric), .range = "its band", .low = low->second, .high = high->second}};
}

// Quality is of the model, whatever runs it: no number of the platform moves it.
bool is_of_the_model(const std::string& metric) { return metric.starts_with("quality."); }

}  // namespace

Tornado tornado_of(const ScenarioFile& file, const Point& point, const Run& base, const TornadoOptions& asked,
                   const StudyOptions& options) {
    Inputs inputs(options.root);
    Scenario scenario = file.read(point, inputs.catalog());
    if (!base.path || base.engine != "analytic")
        throw InputError("sensitivity", "a step (decode or prefill) by the analytic engine",
                         fmt::format("{}", base.engine));
    // As it was found where the scenario asks for the largest: what is compared is one deployment.
    if (scenario.workload.largest_with) scenario.workload.batch = base.metrics.at("workload.batch");
    Point fixed = with_settings(point, {{"workload.batch", fmt::format("{:.17g}", scenario.workload.batch)}});
    scenario.workload.largest_with.reset();
    Run with_loss = base;
    add_quality(with_loss, scenario, allocation_law_of(file, options.root));
    Tornado tornado{.metric = asked.metric,
                    .base = metric_of(with_loss, asked.metric),
                    .by = asked.by,
                    .swings = swings_of_own_band(with_loss, asked.metric)};
    if (is_of_the_model(asked.metric)) return tornado;
    StudyOptions quiet = options;
    quiet.engines = {"analytic"};
    quiet.progress = {};
    for (const auto& swings : {hardware_swings(file, fixed, base, scenario, asked, quiet, tornado.unknown),
                               cost_book_swings(scenario, inputs, asked.metric)})
        tornado.swings.insert(tornado.swings.end(), swings.begin(), swings.end());
    std::stable_sort(tornado.swings.begin(), tornado.swings.end(), [](const Swing& a, const Swing& b) {
        if (a.obstacle.empty() != b.obstacle.empty()) return a.obstacle.empty();
        return a.width() > b.width();
    });
    tornado.unknown_share = base.path->unknown_share();
    return tornado;
}

}  // namespace strata
