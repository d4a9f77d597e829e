#include "reports/report.hpp"

#include <fmt/format.h>

#include "reports/access_view.hpp"
#include "reports/sections/sections.hpp"
#include "reports/serving_view.hpp"
#include "reports/training_view.hpp"

namespace strata {

namespace {

// What needs a model or a step of it has no place here.
Document access_report_of(const ReportInput& input) {
    Document document{.title = input.study.name,
                      .subtitle = input.study.description,
                      .sections = {access_summary_section(input.study)}};
    for (auto& section :
         {access_load_section(input.study), access_row_section(input.study),
          assertions_section(input.study, input.assertions), std::optional(access_points_section(input.study)),
          parts_section(input.catalog, input.systems), manifest_section(input.manifest)})
        if (section) document.sections.push_back(*section);
    return document;
}

// Steps of many shapes stand behind each point: sections about one step have no place here.
Document serving_report_of(const ReportInput& input) {
    Document document{.title = input.study.name,
                      .subtitle = input.study.description,
                      .sections = {serving_summary_section(input.study)}};
    for (auto& section :
         {assertions_section(input.study, input.assertions), std::optional(serving_points_section(input.study)),
          binding_section(input.study, nullptr), economics_section(input.study),
          parts_section(input.catalog, input.systems), manifest_section(input.manifest)})
        if (section) document.sections.push_back(*section);
    return document;
}

Document training_report_of(const ReportInput& input) {
    Document document{.title = input.study.name,
                      .subtitle = input.study.description,
                      .sections = {training_summary_section(input.study)}};
    for (auto& section :
         {assertions_section(input.study, input.assertions), std::optional(training_points_section(input.study)),
          parts_section(input.catalog, input.systems), manifest_section(input.manifest)})
        if (section) document.sections.push_back(*section);
    return document;
}

}  // namespace

Document report_of(const ReportInput& input) {
    if (is_access(input.study)) return access_report_of(input);
    if (is_serving(input.study)) return serving_report_of(input);
    if (is_training(input.study)) return training_report_of(input);
    const Recommendation recommendation = recommend(input.study, input.assertions, input.law, input.model);
    Document document{.title = input.study.name,
                      .subtitle = input.study.description,
                      .sections = {verdict_section(input, recommendation)}};
    const auto add = [&](std::optional<Section> section) {
        if (section) document.sections.push_back(std::move(*section));
    };
    add(allocation_section(input.study, input.law, input.model, recommendation));
    add(speed_section(input.study, recommendation));
    add(memory_section(input.study, recommendation));
    add(balance_section(input.study, recommendation));
    add(components_section(recommendation));
    add(limits_section(input.study, recommendation));
    add(resources_section(input.study, recommendation));
    add(binding_section(input.study, recommendation.point));
    add(economics_section(input.study));
    add(agreement_section(input.study));
    add(assertions_section(input.study, input.assertions));
    add(points_section(input.study, input.law, input.model));
    add(provenance_section(input.study, input.costs, recommendation));
    add(parts_section(input.catalog, input.systems));
    add(manifest_section(input.manifest));
    return document;
}

std::vector<Chart> figures_of(const Document& document) {
    std::vector<Chart> figures;
    for (const Section& section : document.sections)
        for (const Chart& chart : section.charts) figures.push_back(chart);
    return figures;
}

}  // namespace strata
