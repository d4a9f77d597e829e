#include <fmt/format.h>

#include <algorithm>

#include "reports/sections/sections.hpp"
#include "reports/study_view.hpp"

namespace strata {

namespace {

// The whole published range, not the study's part of it, and where the study's points stand on it.
Chart curve(const OpticalLaw& law) {
    constexpr int kSteps = 260;
    Series band{"what a falling law leaves open", SeriesStyle::band, false, 0};
    Series line{"our interpolation", SeriesStyle::line, true, 0};
    Series anchors{"published (" + law.source() + ")", SeriesStyle::markers, false, 1};
    for (int i = 0; i <= kSteps; ++i) {
        const double ratio =
            std::min(law.reach_to(), law.reach_from() + (law.reach_to() - law.reach_from()) * i / kSteps);
        const PrecisionEstimate precision = law.precision(ratio);
        band.points.push_back({ratio, precision.low, precision.high});
        line.points.push_back({ratio, *precision.precision});
    }
    for (const OpticalAnchor& anchor : law.published()) anchors.points.push_back({anchor.ratio, anchor.precision});
    return {.name = "optical",
            .title = "Precision of reading text back from vision tokens",
            .x = {"text tokens a vision token"},
            .y = {"precision"},
            .series = {band, line, anchors}};
}

std::string precision_text(const PrecisionEstimate& precision) {
    const std::string value = precision.precision ? fmt::format("{:.3f}", *precision.precision) : "not known";
    return fmt::format("{} ({:.3f} to {:.3f})", value, precision.low, precision.high);
}

// Newest pages first.
Table schedule(const OpticalContext& context, const OpticalLaw& law) {
    Table table{.title = "Pages of the first point by age",
                .columns = {"newer pages", "pages", "mode", "vision tokens a page", "vision tokens",
                            "text tokens a vision token", "precision (possible)"}};
    for (const PageGroup& group : context.pages()) {
        const double ratio = context.dials.text_tokens_per_page / group.tokens_per_page;
        table.rows.push_back({plain(group.age), plain(group.pages), std::string(to_string(group.mode)),
                              plain(group.tokens_per_page), plain(group.tokens()), fmt::format("{:.1f}", ratio),
                              precision_text(law.precision(ratio))});
    }
    return table;
}

// Text tokens a vision token; 0 if the point has no pictures.
double ratio_of(const std::map<std::string, double>& metrics) {
    const double vision = metrics.at("context.vision_tokens");
    const double pictured = metrics.at("context.text_tokens") - (metrics.at("context.model_tokens") - vision);
    return vision > 0 ? pictured / vision : 0;
}

std::string or_dash(const std::map<std::string, double>& metrics, const std::string& name) {
    const auto found = metrics.find(name);
    return found == metrics.end() ? "-" : fmt::format("{:.3f}", found->second);
}

// Points within the published range are marked on the chart.
Table points(const Study& study, const OpticalLaw& law, Chart& chart) {
    Table table{.title = "Context by point",
                .columns = {"point", "text tokens", "pages", "vision tokens", "the model sees", "compression",
                            "precision", "from", "to", "encoding [ms]", "KV [GB]"}};
    const std::string engine = most_detailed_engine(study);
    for (const PointResult& point : study.results) {
        if (!ran(point) || point.engine != engine || !point.run->metrics.count("context.vision_tokens")) continue;
        const auto& metrics = point.run->metrics;
        const double ratio = ratio_of(metrics);
        table.rows.push_back(
            {label_of(point, study), plain(metrics.at("context.text_tokens")), plain(metrics.at("context.pages")),
             plain(metrics.at("context.vision_tokens")), plain(metrics.at("context.model_tokens")),
             ratio > 0 ? plain(ratio) : "-", or_dash(metrics, "quality.optical_precision"),
             or_dash(metrics, "quality.optical_precision_low"), or_dash(metrics, "quality.optical_precision_high"),
             plain(metrics.at("vision.encode_ms")), plain(metrics.at("memory.kv_gb"))});
        const auto precision = metrics.find("quality.optical_precision");
        if (precision != metrics.end() && ratio >= law.reach_from() && ratio <= law.reach_to())
            chart.annotations.push_back({label_of(point, study), ratio, precision->second});
    }
    return table;
}

}  // namespace

std::optional<Section> optical_section(const Study& study, const OpticalLaw* law, const OpticalContext* context) {
    if (!law) return std::nullopt;
    Chart chart = curve(*law);
    const Table by_point = points(study, *law, chart);
    if (by_point.rows.empty()) return std::nullopt;
    Section section{.title = "Context as pictures"};
    section.paragraphs = {
        "Pages of the context are pictures: the model sees vision tokens in place of text tokens, so prefill, KV cache "
        "and decode shrink, and an encoder works beside them. What is lost is precision.",
        law->describe()};
    section.charts = {chart};
    section.tables = {by_point};
    if (context && !context->pages().empty()) section.tables.push_back(schedule(*context, *law));
    section.footnotes = {
        fmt::format("Measured on {}: for another model the law is transferred. Precision is of reading the text back "
                    "word by word; what a task loses by it is not published.",
                    law->measured_on())};
    const auto is_outside = [&](const PointResult& point) {
        if (!ran(point) || !point.run->metrics.count("context.vision_tokens")) return false;
        const double ratio = ratio_of(point.run->metrics);
        return ratio > 0 && (ratio < law->reach_from() || ratio > law->reach_to());
    };
    if (std::any_of(study.results.begin(), study.results.end(), is_outside))
        section.footnotes.push_back(
            fmt::format("Warning: some points lie outside of the published ratios {} to {}. Below, the first precision "
                        "is the least possible; beyond, no precision is given.",
                        law->reach_from(), law->reach_to()));
    return section;
}

}  // namespace strata
