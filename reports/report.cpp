#include "reports/report.hpp"

#include <fmt/format.h>

#include "reports/sections/sections.hpp"

namespace strata {

Document report_of(const ReportInput& input) {
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
    add(components_section(recommendation));
    add(limits_section(input.study, recommendation));
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
