#include "app/gui/models/allocation_curves.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "hwmodels/input_error.hpp"
#include "reports/recommendation.hpp"
#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"
#include "sim/study/allocation_of.hpp"
#include "sim/study/analytic_run.hpp"
#include "sim/study/point_runner.hpp"

namespace strata {

namespace {

constexpr int kSteps = 13;
constexpr double kLow = 0.40;  // below it no loss is published

// The point over rho on the analytic engine, as the law knows losses for it.
Study over_rho(const ScenarioFile& file, const Point& here, Answerer& answerer) {
    Study study{"over rho", "", {"analytic"}, {}, {}};
    for (int i = 0; i < kSteps; ++i) {
        const std::string rho = fmt::format("{:.2f}", kLow + (1 - kLow) * i / (kSteps - 1));
        PointResult result{{{kRhoPath, rho}}, "analytic", PointStatus::ok, {}, {}, {}};
        try {
            Scenario one = file.read(with_settings(here, {{kRhoPath, rho}}), answerer.inputs().catalog());
            settle(one, answerer.inputs());
            result.run = analytic_run(one, answerer.inputs(), answerer.bench());
        } catch (const InputError& error) {
            result.status = PointStatus::infeasible;
            result.reason = error.what();
        }
        study.results.push_back(std::move(result));
    }
    return study;
}

// The law's optimum as a band over the whole height of what is drawn, and where the dial stands.
void mark(Chart& chart, const AllocationLaw& law, double rho, double here) {
    double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
    for (const Series& series : chart.series)
        for (const ChartPoint& point : series.points) {
            low = std::min(low, point.y);
            high = std::max(high, series.style == SeriesStyle::band ? point.y_to : point.y);
        }
    if (high <= low) {  // a flat line still needs a band that can be seen
        low *= 0.99;
        high *= 1.01;
    }
    chart.series.insert(chart.series.begin(), Series{law.is_published() ? "published optimum" : "optimum of own points",
                                                     SeriesStyle::band,
                                                     false,
                                                     2,
                                                     {{law.optimum_from(), low, high}, {law.optimum_to(), low, high}}});
    chart.annotations.push_back({fmt::format("rho {:.3g}", rho), rho, here});
}

// Of those that ran; there is one.
const PointResult& nearest(const Study& study, double rho) {
    const PointResult* found = nullptr;
    const auto away = [&](const PointResult& result) { return std::abs(*number_setting(result, kRhoPath) - rho); };
    for (const PointResult& result : study.results)
        if (ran(result) && (!found || away(result) < away(*found))) found = &result;
    return *found;
}

}  // namespace

AllocationCurves allocation_curves(Answerer& answerer, const AnswerRequest& request) {
    YAML::Node document = parse_yaml(request.document, request.file);
    document.remove("axes");
    document.remove("engines");
    const ScenarioFile file(request.file, document, answerer.root() + "/scenarios/models");
    const AllocationLaw law = allocation_law_of(file, answerer.root());
    const Point here = file.first_point();
    const Scenario scenario = file.read(here, answerer.inputs().catalog());
    if (!has_a_step(scenario) || !scenario.model.engram)
        throw InputError(
            "This scenario has no dial rho: its model has no Engram tables, or its workload is no single step.");
    const Study study = over_rho(file, here, answerer);
    if (engines_that_ran(study).empty()) throw InputError(study.results.front().reason);
    const std::string& model = scenario.model.name;
    const Recommendation chosen = recommend(study, request.assertions, law, model);
    AllocationCurves curves{.said = recommended_text(chosen, study, law, model)};
    if (const auto loss = allocation_section(study, law, model, chosen)) {
        curves.loss = loss->charts.front();
        if (const auto at = law.loss(scenario.rho, model)) mark(*curves.loss, law, scenario.rho, at->loss);
        for (const std::string& line : loss->footnotes) curves.said += '\n' + line;
    }
    const PointResult& at = nearest(study, scenario.rho);
    const double rho = *number_setting(at, kRhoPath);
    if (const auto speed = speed_section(study, chosen)) {
        curves.speed = speed->charts.front();
        mark(*curves.speed, law, rho, tokens_per_s(*at.run));
    }
    if (const auto economics = economics_section(study))
        for (const Chart& chart : economics->charts)
            if (chart.name == "cost") {
                curves.cost = chart;
                mark(*curves.cost, law, rho, at.run->metrics.at("cost.usd_per_million_tokens"));
            }
    return curves;
}

}  // namespace strata
