#include "reports/render/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "hwmodels/input_error.hpp"
#include "reports/files.hpp"
#include "reports/numeric_columns.hpp"
#include "reports/render/chart_json.hpp"

namespace strata {

namespace {

// Inside a script element only "</script" and "<!--" mean anything to HTML; without any '<' there is neither.
std::string json_for_a_script(const nlohmann::ordered_json& json) {
    std::string safe;
    for (const char c : json.dump()) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
    return safe;
}

// RFC 4648, section 4.
std::string base64(const std::string& bytes) {
    constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) text += k <= here ? kDigits[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
}

// The box around a table scrolls on its own, so that the page never does sideways; it takes the keyboard for that.
std::string table_html(const Table& table) {
    const std::vector<bool> numeric = numeric_columns(table);
    const auto cell = [&](const char* tag, const std::string& text, std::size_t column) {
        return fmt::format("<{0}{1}>{2}</{0}>", tag, numeric[column] ? " class=\"n\"" : "", html_escaped(text));
    };
    const std::string title = html_escaped(table.title);
    std::string html =
        fmt::format("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table><thead><tr>",
                    title.empty() ? "table" : title);
    for (std::size_t i = 0; i < table.columns.size(); ++i) html += cell("th", table.columns[i], i);
    html += "</tr></thead><tbody>\n";
    for (const auto& row : table.rows) {
        html += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) html += cell("td", row[i], i);
        html += "</tr>\n";
    }
    html += "</tbody></table></div>\n";
    if (table.folded) return fmt::format("<details><summary>{}</summary>\n{}</details>\n", title, html);
    return (title.empty() ? "" : fmt::format("<h3>{}</h3>\n", title)) + html;
}

Table numbers_of(const Chart& chart) {
    Table numbers{
        .title = "Numbers of this chart", .columns = {"series", chart.x.label, chart.y.label}, .folded = true};
    for (const Series& series : chart.series)
        for (const ChartPoint& point : series.points) {
            const std::string x = chart.x.categories.empty() ? fmt::format("{:.6g}", point.x)
                                                             : chart.x.categories[static_cast<std::size_t>(point.x)];
            numbers.rows.push_back({series.name, x,
                                    is_interval(series.style) ? fmt::format("{:.6g} to {:.6g}", point.y, point.y_to)
                                                              : fmt::format("{:.6g}", point.y)});
        }
    return numbers;
}

// The canvas for eyes, a picture where no script draws on it, the numbers in a table for everyone else.
std::string chart_html(const Chart& chart, const Pictures& pictures) {
    const std::string title = html_escaped(chart.title);
    const auto picture = pictures.find(chart.name);
    const std::string still =
        picture == pictures.end()
            ? "<noscript>Without scripts there is no drawing here; its numbers follow.</noscript>"
            : fmt::format("<noscript><img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\"></noscript>", title,
                          base64(picture->second));
    return fmt::format(
        "<figure><h3>{0}</h3><div class=\"chart\"><canvas role=\"img\" aria-label=\"{0}\" data-chart=\"{1}\"></canvas>"
        "</div>{2}{3}</figure>\n",
        title, html_escaped(chart.name), still, table_html(numbers_of(chart)));
}

std::string section_html(const Section& section, std::size_t index, const Pictures& pictures) {
    std::string html = fmt::format("<section id=\"s{}\"{}>\n<h2>{}</h2>\n", index,
                                   index == 0 ? " class=\"verdict\"" : "", html_escaped(section.title));
    for (const std::string& text : section.paragraphs) html += "<p>" + html_escaped(text) + "</p>\n";
    if (!section.charts.empty()) {
        html += fmt::format("<div class=\"charts{}\">\n", section.charts.size() > 1 ? " pair" : "");
        for (const Chart& chart : section.charts) html += chart_html(chart, pictures);
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

std::string header_html(const Document& document) {
    std::string html = fmt::format("<header><h1>{}</h1>\n<p class=\"question\">{}</p>\n", html_escaped(document.title),
                                   html_escaped(document.subtitle));
    if (!document.scope.empty()) html += "<dl>\n";
    for (const auto& [what, value] : document.scope)
        html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_escaped(what), html_escaped(value));
    return html + (document.scope.empty() ? "</header>\n" : "</dl>\n</header>\n");
}

// After the answer, where more than a few sections follow.
std::string contents_html(const Document& document) {
    constexpr std::size_t kFew = 4;
    if (document.sections.size() <= kFew) return {};
    std::string html = "<nav aria-label=\"Contents\"><ol>\n";
    for (std::size_t i = 1; i < document.sections.size(); ++i)
        html += fmt::format("<li><a href=\"#s{}\">{}</a></li>\n", i, html_escaped(document.sections[i].title));
    return html + "</ol></nav>\n";
}

constexpr const char* kHead =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<noscript><style>.chart { display: none }</style></noscript>\n";

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
    PageAssets assets{
        whole_file(folder / "page.css"), whole_file(folder / "tables.js") + whole_file(folder / "charts.js"), {}};
    if (!std::filesystem::is_regular_file(library))
        throw InputError("Chart.js, which every HTML report contains", "it at " + library,
                         "nothing. Install libjs-chart.js, or give its place in STRATA_CHART_JS");
    assets.chart_library = whole_file(library);
    return assets;
}

std::string html_of(const Document& document, const PageAssets& assets, const Pictures& pictures) {
    nlohmann::ordered_json charts = nlohmann::ordered_json::object();
    std::string body;
    for (std::size_t i = 0; i < document.sections.size(); ++i) {
        body += section_html(document.sections[i], i, pictures);
        if (i == 0) body += contents_html(document);
        for (const Chart& chart : document.sections[i].charts) charts[chart.name] = to_json(chart);
    }
    return fmt::format(
        "{}<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n{}<main>\n{}</main>\n"
        "<script type=\"application/json\" id=\"charts\">{}</script>\n<script>\n{}\n</script>\n<script>\n{}</script>\n"
        "</body>\n</html>\n",
        kHead, html_escaped(document.title), assets.style, header_html(document), body, json_for_a_script(charts),
        assets.chart_library, assets.script);
}

}  // namespace strata
