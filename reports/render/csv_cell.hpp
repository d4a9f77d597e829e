#pragma once

#include <string>

namespace strata {

// A field of a CSV table: in quotes where a comma, a quote or a line's end would break the table (RFC 4180).
inline std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

}  // namespace strata
