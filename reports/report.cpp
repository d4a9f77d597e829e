#include "reports/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

#include "reports/access_view.hpp"
#include "reports/collective_view.hpp"
#include "reports/rl_view.hpp"
#include "reports/sections/search.hpp"
#include "reports/sections/sections.hpp"
#include "reports/serving_view.hpp"
#include "reports/study_view.hpp"
#include "reports/training_view.hpp"

namespace strata {

namespace {

// A setting that varies, with its values as far as they fit into a line.
std::string values_of(const Study& study, const std::string& path) {
    constexpr std::size_t kShown = 5;
    std::vector<std::string> values;
    for (const PointResult& result : study.results)
        if (const auto value = setting(result, path);
            value && std::find(values.begin(), values.end(), *value) == values.end())
            values.push_back(*value);
    const auto unit = study.units.find(path);
    const std::string text = values.size() <= kShown
                                 ? fmt::format("{}", fmt::join(values, ", "))
                                 : fmt::format("{} values, {} to {}", values.size(), values.front(), values.back());
    return unit == study.units.end() ? text : fmt::format("{} [{}]", text, unit->second);
}

// What the question was asked of: model, machine, what varies, by which engines.
std::vector<std::pair<std::string, std::string>> scope_of(const ReportInput& input) {
    const Study& study = input.study;
    std::vector<std::pair<std::string, std::string>> scope;
    if (!input.model.empty() && !is_access(study) && !is_collective(study)) scope.emplace_back("model", input.model);
    if (!input.systems.empty()) scope.emplace_back("machine", fmt::format("{}", fmt::join(input.systems, ", ")));
    if (!study.results.empty())
        for (const auto& entry : study.results.front().settings)
            scope.emplace_back(entry.first, values_of(study, entry.first));
    scope.emplace_back("engines", fmt::format("{}", fmt::join(study.engines, ", ")));
    scope.emplace_back(
        "results", fmt::format("{} of {} points and engines",
                               std::count_if(study.results.begin(), study.results.end(), ran), study.results.size()));
    return scope;
}

// The first section is the answer; those that have nothing to say are left out.
Document document_of(const ReportInput& input, const Section& answer,
                     std::initializer_list<std::optional<Section>> others) {
    Document document{
        .title = input.study.name, .subtitle = input.study.description, .sections = {answer}, .scope = scope_of(input)};
    for (const std::optional<Section>& section : others)
        if (section) document.sections.push_back(*section);
    return document;
}

// What prices the steps of serving and of training.
constexpr const char* kPricing = "analytic";

// What needs a model or a step of it has no place here.
Document access_report_of(const ReportInput& input) {
    const Study& study = input.study;
    return document_of(
        input, access_summary_section(study),
        {access_load_section(study), access_row_section(study), assertions_section(study, input.assertions),
         access_points_section(study), parts_section(input.catalog, input.systems), manifest_section(input.manifest)});
}

// Steps of many shapes stand behind each point: sections about one step have no place here.
Document serving_report_of(const ReportInput& input) {
    const Study& study = input.study;
    return document_of(
        input, serving_summary_section(study),
        {conclusion_section(study), assertions_section(study, input.assertions), serving_points_section(study),
         balance_section(study, kPricing), binding_section(study, nullptr), economics_section(study),
         parts_section(input.catalog, input.systems), manifest_section(input.manifest)});
}

Document training_report_of(const ReportInput& input) {
    const Study& study = input.study;
    return document_of(input, training_summary_section(study),
                       {conclusion_section(study), assertions_section(study, input.assertions), quality_section(study),
                        training_points_section(study), balance_section(study, kPricing),
                        parts_section(input.catalog, input.systems), manifest_section(input.manifest)});
}

Document rl_report_of(const ReportInput& input) {
    const Study& study = input.study;
    return document_of(input, rl_summary_section(study),
                       {assertions_section(study, input.assertions), rl_points_section(study), economics_section(study),
                        parts_section(input.catalog, input.systems), manifest_section(input.manifest)});
}

// An exchange on a fabric alone: no model, no system.
Document collective_report_of(const ReportInput& input) {
    const Study& study = input.study;
    return document_of(input, collective_summary_section(study),
                       {conclusion_section(study), assertions_section(study, input.assertions),
                        collective_points_section(study), manifest_section(input.manifest)});
}

}  // namespace

Document report_of(const ReportInput& input) {
    if (is_access(input.study)) return access_report_of(input);
    if (is_serving(input.study)) return serving_report_of(input);
    if (is_training(input.study)) return training_report_of(input);
    if (is_rl(input.study)) return rl_report_of(input);
    if (is_collective(input.study)) return collective_report_of(input);
    const Recommendation recommendation = recommend(input.study, input.assertions, input.law, input.model);
    const Study& study = input.study;
    return document_of(input, verdict_section(input, recommendation),
                       {conclusion_section(study, recommendation),
                        allocation_section(study, input.law, input.model, recommendation, input.trained),
                        speed_section(study, recommendation),
                        optical_section(study, input.optical_law, input.optical),
                        memory_section(study, recommendation),
                        balance_section(study, recommendation.engine),
                        components_section(recommendation),
                        limits_section(study, recommendation),
                        resources_section(study, recommendation),
                        binding_section(study, recommendation.point),
                        sensitivity_section(input.closer),
                        timeline_section(input.closer),
                        fabric_section(recommendation),
                        economics_section(study),
                        quality_section(study),
                        agreement_section(study),
                        assertions_section(study, input.assertions),
                        points_section(study, input.law, input.model),
                        provenance_section(study, input.costs, recommendation),
                        assumptions_section(input, recommendation),
                        parts_section(input.catalog, input.systems),
                        manifest_section(input.manifest)});
}

Document report_of(const SearchResult& search, const ReportInput& input) {
    const Section answer = search_section(search);
    if (search.refined.empty() || is_serving(input.study) || is_training(input.study))
        return document_of(input, answer,
                           {binding_section(input.study, search.recommended_result()),
                            parts_section(input.catalog, input.systems), manifest_section(input.manifest)});
    const Study& study = input.study;
    Recommendation chosen{.engine = most_detailed_engine(study), .rule = {}};
    chosen.point = search.recommended_result();
    return document_of(
        input, answer,
        {allocation_section(study, input.law, input.model, chosen, input.trained), binding_section(study, chosen.point),
         components_section(chosen), resources_section(study, chosen), sensitivity_section(input.closer),
         timeline_section(input.closer), fabric_section(chosen), economics_section(study), agreement_section(study),
         points_section(study, input.law, input.model), provenance_section(study, input.costs, chosen),
         assumptions_section(input, chosen), parts_section(input.catalog, input.systems),
         manifest_section(input.manifest)});
}

std::vector<Chart> figures_of(const Document& document) {
    std::vector<Chart> figures;
    for (const Section& section : document.sections)
        for (const Chart& chart : section.charts) figures.push_back(chart);
    return figures;
}

}  // namespace strata
