#include "reports/numeric_columns.hpp"

namespace strata {

namespace {

bool is_number_like(const std::string& cell) {
    return !cell.empty() && (cell == "-" || std::string("0123456789+-").find(cell.front()) != std::string::npos);
}

}  // namespace

std::vector<bool> numeric_columns(const Table& table) {
    std::vector<bool> numeric(table.columns.size(), !table.rows.empty());
    for (const auto& row : table.rows)
        for (std::size_t i = 0; i < row.size() && i < numeric.size(); ++i)
            numeric[i] = numeric[i] && is_number_like(row[i]);
    return numeric;
}

}  // namespace strata
