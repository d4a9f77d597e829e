#include <fmt/format.h>

#include "reports/sections/sections.hpp"

namespace strata {

std::optional<Section> manifest_section(const Manifest& manifest) {
    Section section{.title = "How to make this again"};
    Table table{.title = "", .columns = {"what", "value"}};
    table.rows = {
        {"command", manifest.command},
        {"strata", manifest.version},
        {"date", manifest.date},
        {"scenario", manifest.scenario_file},
        {"overrides", manifest.overrides.empty() ? "none" : fmt::format("{}", fmt::join(manifest.overrides, ", "))},
        {"engines", fmt::format("{}", fmt::join(manifest.engines, ", "))}};
    for (const auto& [what, digest] : manifest.sha256) table.rows.push_back({"SHA-256 of " + what, digest});
    section.tables = {table};
    return section;
}

}  // namespace strata
