#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/verbs.hpp"
#include "reports/files.hpp"
#include "sim/study/validation.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const LedgerRow& row) {
    Json json{{"id", row.id},
              {"source", row.source},
              {"unit", row.unit},
              {"published", nullptr},
              {"predicted", row.predicted},
              {"error", nullptr},
              {"tolerance", row.tolerance},
              {"tolerance_kind", row.absolute ? "absolute" : "relative"},
              {"pass", row.pass},
              {"provenance", row.provenance}};
    if (row.published) json["published"] = *row.published;
    if (row.error()) json["error"] = *row.error();
    if (!row.above.empty()) json["above"] = row.above;
    if (!row.note.empty()) json["note"] = row.note;
    return json;
}

std::string share_or_points(double value, bool absolute) {
    return absolute ? fmt::format("{:+.2f}", value) : fmt::format("{:+.1f} %", 100 * value);
}

void print(const std::vector<LedgerRow>& rows) {
    std::cout << fmt::format("{:<40} {:>10} {:>10} {:<8} {:>9} {:>9}  {:<5} {}\n", "id", "published", "predicted",
                             "unit", "error", "allowed", "", "provenance");
    for (const LedgerRow& row : rows) {
        const std::string allowed = share_or_points(row.tolerance, row.absolute).substr(1);
        std::cout << fmt::format("{:<40} {:>10} {:>10.4g} {:<8} {:>9} {:>9}  {:<5} {}\n", row.id,
                                 row.published ? fmt::format("{:.4g}", *row.published) : "> above", row.predicted,
                                 row.unit, row.error() ? share_or_points(*row.error(), row.absolute) : "", allowed,
                                 row.pass ? "ok" : "MISS", row.provenance);
    }
    const auto out = std::count_if(rows.begin(), rows.end(), [](const LedgerRow& row) { return !row.pass; });
    std::cout << fmt::format("{} of {} rows within their tolerance\n", rows.size() - static_cast<std::size_t>(out),
                             rows.size());
    for (const LedgerSummary& summary : summaries_of(rows))
        std::cout << fmt::format(
            "{:<40} {:>3} of {:>3} rows within, off by {:.1f} % on average, {:.1f} % in the middle\n", summary.file,
            summary.within, summary.rows, 100 * summary.mean_error, 100 * summary.median_error);
    for (const LedgerRow& row : rows)
        if (!row.pass)
            std::cout << fmt::format("MISS {}: {}\n", row.id, row.note.empty() ? "no reason known" : row.note);
}

}  // namespace

int validate_verb(const std::string& json_file, const std::string& only, const std::string& root) {
    const std::vector<LedgerRow> rows = validate(root + "/scenarios/validation", only, {.root = root});
    Json json = Json::array();
    for (const LedgerRow& row : rows) json.push_back(json_of(row));
    if (json_file == "-")
        std::cout << json.dump(1) << '\n';
    else
        print(rows);
    if (!json_file.empty() && json_file != "-") write_whole(json_file, json.dump(1) + "\n");
    return std::all_of(rows.begin(), rows.end(), [](const LedgerRow& row) { return row.pass; }) ? 0 : 1;
}

}  // namespace strata
