#include "sim/scenario/assertion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "sim/scenario/metric_names.hpp"

namespace strata {

bool Assertion::holds(double value) const {
    if (comparison == "<=") return value <= bound;
    if (comparison == "<") return value < bound;
    if (comparison == ">=") return value >= bound;
    return value > bound;
}

std::optional<Assertion> read_largest_with(const YamlField& field) {
    if (!field.is_map()) return std::nullopt;
    field.allow_only({"largest_with"});
    return read_assertion(field["largest_with"]);
}

std::optional<Assertion> read_assertion(const YamlField& field) {
    static const std::regex form(R"(\s*([A-Za-z0-9_.]+)\s*(<=|>=|<|>)\s*([-+0-9.eE]+)\s*)");
    const std::string text = field.text();
    std::smatch match;
    if (!std::regex_match(text, match, form)) {
        field.problem("an assertion such as 'decode.tpot_ms <= 20'", "'" + text + "'");
        return std::nullopt;
    }
    const std::vector<std::string>& known = metric_names();
    if (std::find(known.begin(), known.end(), match[1].str()) == known.end()) {
        const auto meant = nearest_name(match[1].str(), known);
        field.problem(
            fmt::format("unknown metric '{}'; {}", match[1].str(),
                        meant ? "did you mean '" + *meant + "'?" : fmt::format("known: {}", fmt::join(known, ", "))));
        return std::nullopt;
    }
    try {
        return Assertion{match[1], match[2], std::stod(match[3]), text};
    } catch (const std::exception&) {
        field.problem("a number to compare with", "'" + match[3].str() + "'");
        return std::nullopt;
    }
}

}  // namespace strata
