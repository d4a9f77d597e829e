#include "reports/report.hpp"

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

// The first section is the answer; those that have nothing to say are left out.
Document document_of(const ReportInput& input, const Section& answer,
                     std::initializer_list<std::optional<Section>> others) {
    Document document{.title = input.study.name, .subtitle = input.study.description, .sections = {answer}};
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
    return document_of(
        input, verdict_section(input, recommendation),
        {conclusion_section(study, recommendation), allocation_section(study, input.law, input.model, recommendation),
         speed_section(study, recommendation), optical_section(study, input.optical_law, input.optical),
         memory_section(study, recommendation), balance_section(study, recommendation.engine),
         components_section(recommendation), limits_section(study, recommendation),
         resources_section(study, recommendation), binding_section(study, recommendation.point),
         economics_section(study), quality_section(study), agreement_section(study),
         assertions_section(study, input.assertions), points_section(study, input.law, input.model),
         provenance_section(study, input.costs, recommendation), parts_section(input.catalog, input.systems),
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
    return document_of(input, answer,
                       {binding_section(study, chosen.point), components_section(chosen),
                        resources_section(study, chosen), economics_section(study), agreement_section(study),
                        points_section(study, input.law, input.model), provenance_section(study, input.costs, chosen),
                        parts_section(input.catalog, input.systems), manifest_section(input.manifest)});
}

std::vector<Chart> figures_of(const Document& document) {
    std::vector<Chart> figures;
    for (const Section& section : document.sections)
        for (const Chart& chart : section.charts) figures.push_back(chart);
    return figures;
}

}  // namespace strata
