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
    Series band{law.is_published() ? "what published facts leave open" : "what the points leave open",
                SeriesStyle::band, false, 0};
    Series line{"our interpolation", SeriesStyle::line, true, 0};
    Series anchors{(law.is_published() ? "published (" : "fitted (") + law.source() + ")", SeriesStyle::markers, false,
                   1};
    const double from = law.anchors().front().rho, to = law.anchors().back().rho;
    for (int i = 0; i <= kSteps; ++i) {
        const double rho = from + (to - from) * i / kSteps;
        const LossEstimate loss = *law.loss(rho, law.measured_on());
        band.points.push_back({rho, loss.low, loss.high});
        line.points.push_back({rho, loss.loss});
    }
    for (const LossAnchor& anchor : law.anchors()) anchors.points.push_back({anchor.rho, anchor.loss});
    return {.name = "allocation",
            .title = "Loss over rho",
            .x = {"rho: experts' share of the sparse parameters"},
            .y = {"loss [nats/token]"},
            .series = {band, line, anchors}};
}

// Models of other sizes have other losses: what compares is how far each is above its own lowest.
Chart above_the_lowest(const AllocationLaw& law, const std::vector<AllocationFit>& trained) {
    Chart chart{.name = "allocation_measured",
                .title = "Loss above the lowest, as measured",
                .x = {"rho: experts' share of the sparse parameters"},
                .y = {"loss above the lowest [nats/token]"}};
    int colour = 2;
    for (const AllocationFit& fit : trained) {
        const double lowest = *fit.loss(fit.lowest_rho());
        const std::string budget = fit.budget().empty() ? "" : " (" + fit.budget() + " budget)";
        Series points{"measured" + budget, SeriesStyle::markers, false, colour};
        Series line{"nearest convex curve" + budget, SeriesStyle::line, true, colour++};
        for (const FittedPoint& point : fit.points()) {
            points.points.push_back({point.rho, point.loss - lowest});
            line.points.push_back({point.rho, point.fitted - lowest});
        }
        chart.series.insert(chart.series.end(), {line, points});
    }
    if (!law.is_published()) return chart;
    Series anchors{"published (" + law.measured_on() + ")", SeriesStyle::markers, false, 1};
    double lowest = law.anchors().front().loss;
    for (const LossAnchor& anchor : law.anchors()) lowest = std::min(lowest, anchor.loss);
    for (const LossAnchor& anchor : law.anchors()) anchors.points.push_back({anchor.rho, anchor.loss - lowest});
    chart.series.push_back(anchors);
    return chart;
}

std::string shape_of(const AllocationFit& fit) {
    const std::string budget = fit.budget().empty() ? "The points show" : "Budget " + fit.budget() + " shows";
    if (fit.has_minimum_inside())
        return fmt::format("{} a U, lowest at rho {:.2f}, {:.4f} below the lower end (residuals {:.4f}).", budget,
                           fit.lowest_rho(), fit.depth(), fit.root_mean_square());
    return fmt::format("{} no U: the loss falls to the end, rho {:.2f} (residuals {:.4f}).", budget, fit.lowest_rho(),
                       fit.root_mean_square());
}

Table residuals(const std::vector<AllocationFit>& trained) {
    Table table{.title = "Points of that measurement and their fit",
                .columns = {"budget", "rho", "loss [nats/token]", "convex fit", "residual"},
                .folded = true};
    for (const AllocationFit& fit : trained)
        for (const FittedPoint& point : fit.points())
            table.rows.push_back({fit.budget(), fmt::format("{:.2f}", point.rho), fmt::format("{:.4f}", point.loss),
                                  fmt::format("{:.4f}", point.fitted), fmt::format("{:+.4f}", point.residual())});
    return table;
}

void add_measured(Section& section, const AllocationLaw& law, const std::vector<AllocationFit>& trained) {
    if (trained.empty()) return;
    std::string text = law.is_published()
                           ? "Small models trained for Strata (below a million parameters, docs/quality.md) beside the "
                             "published losses, each above its own lowest; the law does not follow from them."
                           : fmt::format("The law is the convex curve nearest to the points of {}.", law.source());
    for (const AllocationFit& fit : trained) text += " " + shape_of(fit);
    section.paragraphs.push_back(text);
    section.charts.push_back(above_the_lowest(law, trained));
    section.tables.push_back(residuals(trained));
}

}  // namespace

std::optional<Section> allocation_section(const Study& study, const AllocationLaw& law, const std::string& model,
                                          const Recommendation& chosen, const std::vector<AllocationFit>& trained) {
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
            "parameters unchanged. {} puts the optimum at rho {:.2f} to {:.2f}.",
            law.is_published() ? "The paper" : "The fit", law.optimum_from(), law.optimum_to()),
        law.is_published()
            ? "Only the marked losses are published in numbers. The dashed curve is our interpolation: convex, exact "
              "at the anchors, lowest at the lowest anchor. The band is all that convexity and the published optimum "
              "leave open."
            : "The dashed curve goes through the fitted losses and is convex; the band is what convexity and the "
              "points' scatter around the fit leave open."};
    if (law.is_published())
        section.footnotes = {fmt::format(
            "Measured on {} ({}); for {} it is transferred: read where the curve bends, not its absolute loss.",
            law.measured_on(), law.source(), model)};
    add_measured(section, law, trained);
    if (!unknown.empty())
        section.footnotes.push_back(
            fmt::format("Nothing is known of {} swept values outside of rho {} to {}: no loss "
                        "is given there and none of them is recommended.",
                        unknown.size(), law.anchors().front().rho, law.anchors().back().rho));
    return section;
}

}  // namespace strata
