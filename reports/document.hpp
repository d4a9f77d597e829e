// A report without a format: sections of text, tables and charts. Renderers (render/, figure/) turn it into HTML,
// pictures and so on; sections/ fill it from a study.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace strata {

struct ChartTick {
    double at = 0;
    std::string text;
};

struct ChartAxis {
    std::string label;  // with its unit: "TPOT [ms]"
    bool log = false;
    std::vector<std::string> categories{};  // not empty: x is the index of one of these
    std::vector<ChartTick> ticks{};         // not empty: only these are marked
};

// stacked: bars on those of the series before. span: bars that lie, each in the row of its category, from y to y_to; a
// chart has no other series beside them.
enum class SeriesStyle { line, markers, band, bar, stacked, span };

struct ChartPoint {
    double x = 0, y = 0;
    double y_to = 0;  // band and span only: from y to here
};

struct Series {
    std::string name;
    SeriesStyle style = SeriesStyle::line;
    bool dashed = false;
    int colour = 0;  // of the palette; series that belong together share one
    std::vector<ChartPoint> points{};
};

struct Annotation {
    std::string text;
    double x = 0, y = 0;
};

struct Chart {
    std::string name;  // of its files: "allocation" -> allocation.svg
    std::string title;
    ChartAxis x, y;
    std::vector<Series> series{};
    std::vector<Annotation> annotations{};
};

struct Table {
    std::string title;
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows{};
    bool folded = false;  // reference material: shown on demand
};

struct Section {
    std::string title;
    std::vector<std::string> paragraphs{};
    std::vector<Chart> charts{};
    std::vector<Table> tables{};
    std::vector<std::string> footnotes{};
};

struct Document {
    std::string title, subtitle;  // the subtitle is the question
    std::vector<Section> sections{};
    std::vector<std::pair<std::string, std::string>> scope{};  // what it was asked of: ("model", "v4.1-flash"), ...
};

// Charts of spans lie on their side: categories run down, and y to the right.
inline bool has_spans(const Chart& chart) {
    return !chart.series.empty() && chart.series.front().style == SeriesStyle::span;
}
inline bool is_interval(SeriesStyle style) { return style == SeriesStyle::band || style == SeriesStyle::span; }

}  // namespace strata
