#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

Table by_origin(const Study& study, const Recommendation& chosen) {
    struct Span {
        double low = 1, high = 0, here = 0;
    };
    std::map<std::string, Span> spans;
    for (const PointResult& result : study.results)
        if (ran(result))
            for (const auto& [origin, share] : result.run->share_of_compute) {
                Span& span = spans[origin];
                span.low = std::min(span.low, share);
                span.high = std::max(span.high, share);
                if (&result == chosen.point) span.here = share;
            }
    static const std::map<std::string, std::string> meaning{
        {"measured", "measured on this accelerator at this shape"},
        {"published", "a published number"},
        {"interpolated", "between shapes measured on this accelerator, or a curve fitted on them"},
        {"interpolated, outside", "a shape beyond what was measured on this accelerator"},
        {"transferred", "measured on another accelerator, with this one's own peaks and waves"},
        {"transferred, outside", "the same, of a shape beyond what was measured there"},
        {"modelled, outside", "physics carried on from the nearest shape measured on this accelerator"},
        {"modelled", "bandwidth and latency from the catalogue"},
        {"assumed", "nothing measured or published: our assumption"}};
    Table table{.title = "Where the time of an accelerator's ops comes from",
                .columns = {"origin", "recommended point", "lowest to highest", "meaning"}};
    for (const auto& [origin, span] : spans) {
        const auto known = meaning.find(origin);
        table.rows.push_back({origin, chosen.point ? percent(span.here) : "-",
                              percent(span.low) + " to " + percent(span.high),
                              known == meaning.end() ? "" : known->second});
    }
    return table;
}

}  // namespace

std::optional<Section> provenance_section(const Study& study, const CostBook& costs, const Recommendation& chosen) {
    Section section{.title = "How sure the times are"};
    section.tables = {by_origin(study, chosen)};
    Table curves{.title = "Cost curves, with errors on measured rows that the fit never saw",
                 .columns = {"op family", "rows fitted", "median error", "p90 error", "source"},
                 .folded = true};
    double worst = 0;
    for (int i = 0; i < kFamilies; ++i) {
        const auto family = static_cast<Family>(i);
        const CostCurve& curve = costs.curve(family);
        const std::string name(to_string(family));
        curves.rows.push_back({name, std::to_string(curve.rows), curve.rows ? percent(curve.median_error) : "-",
                               curve.rows ? percent(curve.p90_error) : "-", curve.source});
        worst = std::max(worst, curve.median_error);
        if (curve.rows == 0) section.footnotes.push_back(name + ", " + curve.source + ".");
    }
    section.paragraphs = {
        fmt::format("Where a table does not hold a shape, an op's time comes from one of {} curves. Their median "
                    "errors reach {}; a "
                    "difference between points that is smaller than that rests on the model, not on "
                    "measurements.",
                    kFamilies, percent(worst))};
    section.tables.push_back(curves);
    return section;
}

}  // namespace strata
