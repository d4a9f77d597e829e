#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

// The whole known range, not the study's part of it: the reader sees where the study stands on the curve.
Chart curve(const AllocationLaw& law) {
    constexpr int kSteps = 120;
    Series band{"what published facts leave open", SeriesStyle::band, false, 0};
    Series line{"our interpolation", SeriesStyle::line, true, 0};
    Series anchors{"published (" + law.source() + ")", SeriesStyle::markers, false, 1};
    const double from = law.anchors().front().rho, to = law.anchors().back().rho;
    for (int i = 0; i <= kSteps; ++i) {
        const double rho = from + (to - from) * i / kSteps;
        const LossEstimate loss = *law.loss(rho, law.measured_on());
        band.points.push_back({rho, loss.low, loss.high});
        line.points.push_back({rho, loss.loss});
    }
    for (const LossAnchor& anchor : law.anchors()) anchors.points.push_back({anchor.rho, anchor.loss});
    return {.name = "allocation",
            .title = "Loss against the experts' share of the sparse parameters",
            .x = {"rho: experts' share of the sparse parameters"},
            .y = {"loss [nats/token]"},
            .series = {band, line, anchors}};
}

}  // namespace

std::optional<Section> allocation_section(const Study& study, const AllocationLaw& law, const std::string& model,
                                          const Recommendation& chosen) {
    std::set<double> known, unknown;
    for (const PointResult& result : study.results)
        if (const auto rho = number_setting(result, kRhoPath)) (law.loss(*rho, model) ? known : unknown).insert(*rho);
    if (known.empty()) return std::nullopt;
    Section section{.title = "Loss against the allocation dial"};
    section.charts = {curve(law)};
    if (chosen.by_loss && chosen.point)
        section.charts.front().annotations = {
            {"recommended", *number_setting(*chosen.point, kRhoPath), loss_of(*chosen.point, law, model)->loss}};
    section.paragraphs = {
        fmt::format(
            "rho 1 puts all sparse parameters into experts; 1 - rho of them are Engram tables, total and active "
            "parameters unchanged. The paper puts the optimum at rho {:.2f} to {:.2f}.",
            law.optimum_from(), law.optimum_to()),
        "Only the marked losses are published in numbers. The dashed curve is our interpolation: convex, exact at the "
        "anchors, lowest at the lowest anchor. The band is all that convexity and the published optimum leave open."};
    section.footnotes = {
        fmt::format("Measured on {} ({}); for {} it is transferred: read where the curve bends, not its absolute loss.",
                    law.measured_on(), law.source(), model)};
    if (!unknown.empty())
        section.footnotes.push_back(
            fmt::format("Nothing is known of {} swept values outside of rho {} to {}: no loss "
                        "is given there and none of them is recommended.",
                        unknown.size(), law.anchors().front().rho, law.anchors().back().rho));
    return section;
}

}  // namespace strata
