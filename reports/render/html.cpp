#include "reports/render/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "hwmodels/input_error.hpp"
#include "reports/files.hpp"
#include "reports/render/chart_json.hpp"

namespace strata {

namespace {

// Inside a script element only "</script" and "<!--" mean anything to HTML; without any '<' there is neither.
std::string json_for_a_script(const nlohmann::ordered_json& json) {
    std::string safe;
    for (const char c : json.dump()) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
    return safe;
}

// Right-aligned are columns whose cells start like numbers.
bool is_number_like(const std::string& cell) {
    return !cell.empty() && (cell == "-" || std::string("0123456789+-").find(cell.front()) != std::string::npos);
}

std::string table_html(const Table& table) {
    std::vector<bool> numeric(table.columns.size(), !table.rows.empty());
    for (const auto& row : table.rows)
        for (std::size_t i = 0; i < row.size(); ++i) numeric[i] = numeric[i] && is_number_like(row[i]);
    const auto cell = [&](const char* tag, const std::string& text, std::size_t column) {
        return fmt::format("<{0}{1}>{2}</{0}>", tag, numeric[column] ? " class=\"n\"" : "", html_escaped(text));
    };
    std::string html = "<div class=\"wide\"><table><thead><tr>";
    for (std::size_t i = 0; i < table.columns.size(); ++i) html += cell("th", table.columns[i], i);
    html += "</tr></thead><tbody>\n";
    for (const auto& row : table.rows) {
        html += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) html += cell("td", row[i], i);
        html += "</tr>\n";
    }
    html += "</tbody></table></div>\n";
    const std::string title = html_escaped(table.title);
    if (table.folded) return fmt::format("<details><summary>{}</summary>\n{}</details>\n", title, html);
    return (title.empty() ? "" : fmt::format("<h3>{}</h3>\n", title)) + html;
}

// The canvas for eyes, the numbers in a table for everyone else.
std::string chart_html(const Chart& chart) {
    Table numbers{
        .title = "Numbers of this chart", .columns = {"series", chart.x.label, chart.y.label}, .folded = true};
    for (const Series& series : chart.series)
        for (const ChartPoint& point : series.points) {
            const std::string x = chart.x.categories.empty() ? fmt::format("{:.6g}", point.x)
                                                             : chart.x.categories[static_cast<std::size_t>(point.x)];
            numbers.rows.push_back({series.name, x,
                                    series.style == SeriesStyle::band
                                        ? fmt::format("{:.6g} to {:.6g}", point.y, point.y_to)
                                        : fmt::format("{:.6g}", point.y)});
        }
    return fmt::format(
        "<figure><h3>{0}</h3><div class=\"chart\"><canvas role=\"img\" aria-label=\"{0}\" data-chart=\"{1}\"></canvas>"
        "</div>{2}</figure>\n",
        html_escaped(chart.title), html_escaped(chart.name), table_html(numbers));
}

std::string section_html(const Section& section, bool first) {
    std::string html =
        fmt::format("<section{}>\n<h2>{}</h2>\n", first ? " class=\"verdict\"" : "", html_escaped(section.title));
    for (const std::string& text : section.paragraphs) html += "<p>" + html_escaped(text) + "</p>\n";
    if (!section.charts.empty()) {
        html += fmt::format("<div class=\"charts{}\">\n", section.charts.size() > 1 ? " pair" : "");
        for (const Chart& chart : section.charts) html += chart_html(chart);
        html += "</div>\n";
    }
    for (const Table& table : section.tables) html += table_html(table);
    if (!section.footnotes.empty()) {
        html += "<ul class=\"notes\">\n";
        for (const std::string& note : section.footnotes) html += "<li>" + html_escaped(note) + "</li>\n";
        html += "</ul>\n";
    }
    return html + "</section>\n";
}

}  // namespace

std::string html_escaped(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        switch (c) {
            case '&': safe += "&amp;"; break;
            case '<': safe += "&lt;"; break;
            case '>': safe += "&gt;"; break;
            case '"': safe += "&quot;"; break;
            case '\'': safe += "&#39;"; break;
            default: safe += c;
        }
    }
    return safe;
}

PageAssets page_assets(const std::string& root) {
    const char* given = std::getenv("STRATA_CHART_JS");
    const std::filesystem::path folder = std::filesystem::path(root) / "reports" / "render";
    const std::filesystem::path installed = folder / "chart.min.js";
    const std::string library = given                                ? given
                                : std::filesystem::exists(installed) ? installed.string()
                                                                     : STRATA_CHART_JS;
    PageAssets assets{whole_file(folder / "page.css"), whole_file(folder / "page.js"), {}};
    if (!std::filesystem::is_regular_file(library))
        throw InputError("Chart.js, which every HTML report contains", "it at " + library,
                         "nothing. Install libjs-chart.js, or give its place in STRATA_CHART_JS");
    assets.chart_library = whole_file(library);
    return assets;
}

std::string html_of(const Document& document, const PageAssets& assets) {
    nlohmann::ordered_json charts = nlohmann::ordered_json::object();
    std::string body;
    for (std::size_t i = 0; i < document.sections.size(); ++i) {
        body += section_html(document.sections[i], i == 0);
        for (const Chart& chart : document.sections[i].charts) charts[chart.name] = to_json(chart);
    }
    const std::string title = html_escaped(document.title);
    return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
           "script-src 'unsafe-inline'; img-src data:\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
           title + "</title>\n<style>\n" + assets.style + "</style>\n</head>\n<body>\n<header><h1>" + title +
           "</h1><p>" + html_escaped(document.subtitle) + "</p></header>\n<main>\n" + body +
           "</main>\n<script type=\"application/json\" id=\"charts\">" + json_for_a_script(charts) +
           "</script>\n<script>\n" + assets.chart_library + "\n</script>\n<script>\n" + assets.script +
           "</script>\n</body>\n</html>\n";
}

}  // namespace strata
