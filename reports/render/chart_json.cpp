#include "reports/render/chart_json.hpp"

#include <array>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kChartSchema = "strata-chart/1";
constexpr std::array<const char*, 6> kStyles{"line", "markers", "band", "bar", "stacked", "span"};

Json to_json(const ChartAxis& axis) {
    Json ticks = Json::array();
    for (const ChartTick& tick : axis.ticks) ticks.push_back({tick.at, tick.text});
    return {{"label", axis.label}, {"log", axis.log}, {"categories", axis.categories}, {"ticks", ticks}};
}

ChartAxis axis_from(const Json& json) {
    ChartAxis axis{json.at("label"), json.at("log"), json.at("categories")};
    for (const Json& tick : json.at("ticks")) axis.ticks.push_back({tick.at(0), tick.at(1)});
    return axis;
}

SeriesStyle style_from(const std::string& text) {
    for (std::size_t i = 0; i < kStyles.size(); ++i)
        if (text == kStyles[i]) return static_cast<SeriesStyle>(i);
    throw std::invalid_argument("unknown style '" + text + "'");
}

Series series_from(const Json& json) {
    Series series{json.at("name"), style_from(json.at("style")), json.at("dashed"), json.at("colour")};
    for (const Json& point : json.at("points"))
        series.points.push_back({point.at(0), point.at(1), point.size() > 2 ? point.at(2).get<double>() : 0});
    return series;
}

}  // namespace

Json to_json(const Chart& chart) {
    Json all_series = Json::array(), annotations = Json::array();
    for (const Series& series : chart.series) {
        Json points = Json::array();
        for (const ChartPoint& point : series.points)
            points.push_back(is_interval(series.style) ? Json::array({point.x, point.y, point.y_to})
                                                       : Json::array({point.x, point.y}));
        all_series.push_back({{"name", series.name},
                              {"style", kStyles[static_cast<std::size_t>(series.style)]},
                              {"dashed", series.dashed},
                              {"colour", series.colour},
                              {"points", points}});
    }
    for (const Annotation& annotation : chart.annotations)
        annotations.push_back({{"text", annotation.text}, {"x", annotation.x}, {"y", annotation.y}});
    return {{"schema", kChartSchema}, {"name", chart.name},   {"title", chart.title},      {"x", to_json(chart.x)},
            {"y", to_json(chart.y)},  {"series", all_series}, {"annotations", annotations}};
}

Chart chart_from_json(const Json& json) {
    if (json.at("schema") != kChartSchema)
        throw std::invalid_argument("its schema is not " + std::string(kChartSchema));
    Chart chart{json.at("name"), json.at("title"), axis_from(json.at("x")), axis_from(json.at("y"))};
    for (const Json& series : json.at("series")) chart.series.push_back(series_from(series));
    for (const Json& a : json.at("annotations")) chart.annotations.push_back({a.at("text"), a.at("x"), a.at("y")});
    return chart;
}

Chart chart_from_json(const std::string& text, const std::string& name_of_the_file) {
    try {
        return chart_from_json(Json::parse(text));
    } catch (const std::exception& error) {
        throw InputError(name_of_the_file + ": expected a chart as strata writes it: " + error.what());
    }
}

}  // namespace strata
