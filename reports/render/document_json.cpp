#include "reports/render/document_json.hpp"

#include "hwmodels/input_error.hpp"
#include "reports/render/chart_json.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kReportSchema = "strata-report/1";

Json json_of(const Table& table) {
    return {{"title", table.title}, {"columns", table.columns}, {"rows", table.rows}, {"reference", table.folded}};
}

Json json_of(const Section& section) {
    Json charts = Json::array(), tables = Json::array();
    for (const Chart& chart : section.charts) charts.push_back(to_json(chart));
    for (const Table& table : section.tables) tables.push_back(json_of(table));
    return {{"title", section.title},
            {"paragraphs", section.paragraphs},
            {"charts", charts},
            {"tables", tables},
            {"footnotes", section.footnotes}};
}

Section section_from(const Json& json) {
    Section section{.title = json.at("title"), .paragraphs = json.at("paragraphs")};
    for (const Json& chart : json.at("charts")) section.charts.push_back(chart_from_json(chart));
    for (const Json& table : json.at("tables"))
        section.tables.push_back({table.at("title"), table.at("columns"), table.at("rows"), table.at("reference")});
    section.footnotes = json.at("footnotes").get<std::vector<std::string>>();
    return section;
}

}  // namespace

std::string document_json(const Document& document) {
    Json scope = Json::object(), sections = Json::array();
    for (const auto& [what, value] : document.scope) scope[what] = value;
    for (const Section& section : document.sections) sections.push_back(json_of(section));
    const Json json{{"schema", kReportSchema},
                    {"title", document.title},
                    {"question", document.subtitle},
                    {"scope", scope},
                    {"sections", sections}};
    return json.dump(1) + "\n";
}

Document document_from_json(const std::string& text, const std::string& name_of_the_file) {
    try {
        const Json json = Json::parse(text);
        if (json.at("schema") != kReportSchema)
            throw std::invalid_argument("its schema is not " + std::string(kReportSchema));
        Document document{.title = json.at("title"), .subtitle = json.at("question")};
        for (const auto& [what, value] : json.at("scope").items()) document.scope.emplace_back(what, value);
        for (const Json& section : json.at("sections")) document.sections.push_back(section_from(section));
        return document;
    } catch (const std::exception& error) {
        throw InputError(name_of_the_file + ": expected a report as strata writes it: " + error.what());
    }
}

}  // namespace strata
