#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/comparison_output.hpp"
#include "app/cli/verbs.hpp"
#include "reports/files.hpp"
#include "reports/gate/ledger_comparison.hpp"
#include "sim/study/validation.hpp"

namespace strata {

namespace {

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

int validate_verb(const ValidateArguments& arguments, const std::string& root) {
    std::vector<LedgerVerdict> before;
    if (!arguments.against.empty()) before = read_verdicts(arguments.against);
    const std::vector<LedgerRow> rows = validate(root + "/scenarios/validation", arguments.only, {.root = root});
    const std::string json = ledger_json(rows).dump(1) + "\n";
    if (arguments.json_file == "-") std::cout << json;
    if (!arguments.json_file.empty() && arguments.json_file != "-") write_whole(arguments.json_file, json);
    if (before.empty()) {
        if (arguments.json_file != "-") print(rows);
        return std::all_of(rows.begin(), rows.end(), [](const LedgerRow& row) { return row.pass; }) ? 0 : 1;
    }
    const LedgerComparison comparison = compare_ledgers(before, verdicts_of(rows), arguments.only);
    if (arguments.json_file != "-") std::cout << ledger_comparison_text(comparison);
    if (!arguments.markdown_file.empty()) write_whole(arguments.markdown_file, ledger_comparison_markdown(comparison));
    for (const LedgerChange& change : comparison.worse)
        if (is_on_github()) std::cerr << fmt::format("::error::{} got worse: {}\n", change.to.id, change_text(change));
    return comparison.fails() ? 1 : 0;
}

}  // namespace strata
