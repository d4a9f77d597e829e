// Two runs of the ledger against each other: which rows got nearer to what was published, and which further from it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/validation.hpp"

namespace strata {

// A row as 'strata validate --json' writes it.
nlohmann::ordered_json ledger_json(const std::vector<LedgerRow>& rows);

// Of a row what is compared.
struct LedgerVerdict {
    std::string id;
    bool pass = false;
    double predicted = 0;
    std::optional<double> error;  // none where nothing is published but an order
    bool absolute = false;        // the error is in the row's unit, not a share
};

std::vector<LedgerVerdict> verdicts_of(const std::vector<LedgerRow>& rows);
// Throws InputError for a file that 'strata validate --json' did not write.
std::vector<LedgerVerdict> read_verdicts(const std::string& file);

struct LedgerChange {
    LedgerVerdict from, to;
    bool worse() const;  // misses now, or is further off by more than kNoticed
    bool better() const;
};

struct LedgerComparison {
    std::vector<LedgerChange> worse, better;  // by how much, the largest first
    std::size_t same = 0;
    std::vector<std::string> lost, added;  // ids
    bool fails() const { return !worse.empty() || !lost.empty(); }
};

constexpr double kNoticed = 0.001;  // of an error: a tenth of a point

// Rows of `from` that `only` does not match are left out: a part of the ledger can be held alone.
LedgerComparison compare_ledgers(const std::vector<LedgerVerdict>& from, const std::vector<LedgerVerdict>& to,
                                 const std::string& only);

// "+7.1 % ok -> +30.2 % MISS".
std::string change_text(const LedgerChange& change);
std::string ledger_comparison_text(const LedgerComparison& comparison);
std::string ledger_comparison_markdown(const LedgerComparison& comparison);

}  // namespace strata
