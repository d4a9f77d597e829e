#include "reports/gate/ledger_comparison.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "reports/files.hpp"
#include "reports/gate/text_escapes.hpp"

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

std::string error_text(const LedgerVerdict& verdict) {
    if (!verdict.error) return fmt::format("{:.4g}", verdict.predicted);
    return verdict.absolute ? fmt::format("{:+.2f}", *verdict.error) : fmt::format("{:+.1f} %", 100 * *verdict.error);
}

std::string verdict_text(const LedgerVerdict& verdict) {
    return error_text(verdict) + (verdict.pass ? " ok" : " MISS");
}

double growth(const LedgerChange& change) {
    if (!change.from.error || !change.to.error) return 0;
    return std::abs(*change.to.error) - std::abs(*change.from.error);
}

std::string summary(const LedgerComparison& comparison) {
    return fmt::format("{} rows got worse, {} better, {} are the same, {} lost, {} new", comparison.worse.size(),
                       comparison.better.size(), comparison.same, comparison.lost.size(), comparison.added.size());
}

}  // namespace

Json ledger_json(const std::vector<LedgerRow>& rows) {
    Json json = Json::array();
    for (const LedgerRow& row : rows) json.push_back(json_of(row));
    return json;
}

std::vector<LedgerVerdict> verdicts_of(const std::vector<LedgerRow>& rows) {
    std::vector<LedgerVerdict> verdicts;
    for (const LedgerRow& row : rows) verdicts.push_back({row.id, row.pass, row.predicted, row.error(), row.absolute});
    return verdicts;
}

std::vector<LedgerVerdict> read_verdicts(const std::string& file) {
    const char* const expected = "what 'strata validate --json FILE' writes";
    try {
        const Json json = Json::parse(whole_file(file));
        if (!json.is_array() || json.empty()) throw InputError(file, expected, "another document");
        std::vector<LedgerVerdict> verdicts;
        for (const Json& row : json) {
            verdicts.push_back({.id = row.at("id"),
                                .pass = row.at("pass"),
                                .predicted = row.at("predicted"),
                                .error = {},
                                .absolute = row.at("tolerance_kind") == "absolute"});
            if (!row.at("error").is_null()) verdicts.back().error = row.at("error").get<double>();
        }
        return verdicts;
    } catch (const Json::exception& error) {
        throw InputError(file, expected, error.what());
    }
}

bool LedgerChange::worse() const {
    if (from.pass != to.pass) return from.pass;
    return growth(*this) > kNoticed;
}

bool LedgerChange::better() const {
    if (from.pass != to.pass) return to.pass;
    return growth(*this) < -kNoticed;
}

LedgerComparison compare_ledgers(const std::vector<LedgerVerdict>& from, const std::vector<LedgerVerdict>& to,
                                 const std::string& only) {
    std::map<std::string, LedgerVerdict> now;
    for (const LedgerVerdict& verdict : to) now[verdict.id] = verdict;
    LedgerComparison comparison;
    for (const LedgerVerdict& before : from) {
        if (fnmatch(only.c_str(), before.id.c_str(), 0) != 0) continue;
        const auto found = now.find(before.id);
        if (found == now.end()) {
            comparison.lost.push_back(before.id);
            continue;
        }
        const LedgerChange change{before, found->second};
        now.erase(found);
        if (change.worse())
            comparison.worse.push_back(change);
        else if (change.better())
            comparison.better.push_back(change);
        else
            ++comparison.same;
    }
    for (const auto& [id, verdict] : now) comparison.added.push_back(id);
    for (auto* changes : {&comparison.worse, &comparison.better})
        std::stable_sort(changes->begin(), changes->end(), [](const LedgerChange& a, const LedgerChange& b) {
            return std::abs(growth(a)) > std::abs(growth(b));
        });
    return comparison;
}

std::string change_text(const LedgerChange& change) {
    return fmt::format("{} -> {}", verdict_text(change.from), verdict_text(change.to));
}

std::string ledger_comparison_text(const LedgerComparison& comparison) {
    std::string text;
    for (const auto& [word, changes] : {std::pair{"worse", &comparison.worse}, {"better", &comparison.better}})
        for (const LedgerChange& change : *changes)
            text += fmt::format("{:<7} {:<40} {}\n", word, change.to.id, change_text(change));
    for (const std::string& id : comparison.lost) text += fmt::format("{:<7} {}\n", "lost", id);
    for (const std::string& id : comparison.added) text += fmt::format("{:<7} {}\n", "new", id);
    return text + summary(comparison) + "\n";
}

std::string ledger_comparison_markdown(const LedgerComparison& comparison) {
    std::string text = fmt::format("### How right: against the stored ledger\n\n{}\n", summary(comparison));
    if (!comparison.worse.empty() || !comparison.better.empty())
        text += "\n| | row | was off by | is off by |\n|---|---|---:|---:|\n";
    for (const auto& [word, changes] : {std::pair{"worse", &comparison.worse}, {"better", &comparison.better}})
        for (const LedgerChange& change : *changes)
            text += fmt::format("| {} | {} | {} | {} |\n", word, markdown_escaped(change.to.id),
                                verdict_text(change.from), verdict_text(change.to));
    return text;
}

}  // namespace strata
