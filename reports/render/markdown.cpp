#include "reports/render/markdown.hpp"

#include <fmt/format.h>

#include "reports/numeric_columns.hpp"
#include "reports/render/html.hpp"

namespace strata {

namespace {

// Names and reasons are whatever a scenario wrote: nothing of it may become markup, HTML or a second line.
std::string escaped(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        if (c == '\n' || c == '\r')
            safe += ' ';
        else if (c == '<')
            safe += "&lt;";
        else if (c == '&')
            safe += "&amp;";
        else if (std::string("\\`*_[]|~").find(c) != std::string::npos)
            (safe += '\\') += c;
        else
            safe += c;
    }
    // What would begin a heading, a list or a quote if it stood first.
    if (!safe.empty() && std::string("#>+-=").find(safe.front()) != std::string::npos) return fmt::format("\\{}", safe);
    return safe;
}

std::string row_of(const std::vector<std::string>& cells) {
    std::string row = "|";
    for (const std::string& cell : cells) row += fmt::format(" {} |", cell);
    return row + "\n";
}

std::string table_of(const Table& table) {
    std::vector<std::string> heads, rules;
    for (const std::string& column : table.columns) heads.push_back(escaped(column));
    for (const bool numeric : numeric_columns(table)) rules.push_back(numeric ? "---:" : "---");
    std::string rows = row_of(heads) + row_of(rules);
    for (const auto& row : table.rows) {
        std::vector<std::string> cells;
        for (const std::string& cell : row) cells.push_back(escaped(cell));
        rows += row_of(cells);
    }
    if (table.folded)
        return fmt::format("<details><summary>{}</summary>\n\n{}\n</details>\n\n", html_escaped(table.title), rows);
    return (table.title.empty() ? "" : fmt::format("**{}**\n\n", escaped(table.title))) + rows + "\n";
}

std::string section_of(const Section& section, const std::string& figures_folder) {
    std::string text = fmt::format("## {}\n\n", escaped(section.title));
    for (const std::string& paragraph : section.paragraphs) text += escaped(paragraph) + "\n\n";
    if (!figures_folder.empty())
        for (const Chart& chart : section.charts)
            text += fmt::format("![{}]({}/{}.svg)\n\n", escaped(chart.title), figures_folder, chart.name);
    for (const Table& table : section.tables) text += table_of(table);
    for (const std::string& note : section.footnotes) text += fmt::format("- {}\n", escaped(note));
    return section.footnotes.empty() ? text : text + "\n";
}

}  // namespace

std::string markdown_of(const Document& document, const std::string& figures_folder) {
    std::string text = fmt::format("# {}\n\n{}\n\n", escaped(document.title), escaped(document.subtitle));
    for (const auto& [what, value] : document.scope) text += fmt::format("- {}: {}\n", what, escaped(value));
    if (!document.scope.empty()) text += "\n";
    for (const Section& section : document.sections) text += section_of(section, figures_folder);
    return text;
}

}  // namespace strata
