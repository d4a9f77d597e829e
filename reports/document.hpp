// A report without a format: sections of text, tables and charts. Renderers (render/, figure/) turn it into HTML,
// pictures and so on; sections/ fill it from a study.
#pragma once

#include <string>
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

enum class SeriesStyle { line, markers, band, bar, stacked };  // stacked: bars on those of the series before

struct ChartPoint {
    double x = 0, y = 0;
    double y_to = 0;  // band only: from y to here
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
    std::string title, subtitle;
    std::vector<Section> sections{};
};

}  // namespace strata
