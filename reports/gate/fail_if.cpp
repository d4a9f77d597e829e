#include "reports/gate/fail_if.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

// From left to right over the text; every complaint says the column, counted from 1.
class Scanner {
public:
    explicit Scanner(const std::string& text) : text_(text) {}

    bool take(std::string_view token) {
        skip_blanks();
        if (text_.compare(at_, token.size(), token) != 0) return false;
        at_ += token.size();
        return true;
    }

    std::string metric() {
        skip_blanks();
        const std::size_t begin = at_;
        while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) ||
                                      std::string_view("_.*?").find(text_[at_]) != std::string_view::npos))
            ++at_;
        if (at_ == begin) complain("a metric such as decode.tokens_per_s, or a pattern such as decode.*");
        return text_.substr(begin, at_ - begin);
    }

    double number() {
        skip_blanks();
        double value = 0;
        const char* const begin = text_.data() + at_ + (at_ < text_.size() && text_[at_] == '+');
        const auto [rest, status] = std::from_chars(begin, text_.data() + text_.size(), value);
        if (status != std::errc() || !std::isfinite(value)) complain("a number such as -2% or 0.5");
        at_ = static_cast<std::size_t>(rest - text_.data());
        return value;
    }

    void end() {
        skip_blanks();
        if (at_ < text_.size()) complain("nothing more");
    }

    [[noreturn]] void complain(const std::string& expected) const {
        throw InputError(fmt::format("--fail-if '{}', column {}", text_, at_ + 1), expected,
                         at_ < text_.size() ? "'" + text_.substr(at_) + "'" : "its end");
    }

private:
    void skip_blanks() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }

    const std::string& text_;
    std::size_t at_ = 0;
};

bool holds(double value, const std::string& comparison, double bound) {
    if (comparison == "<") return value < bound;
    if (comparison == "<=") return value <= bound;
    return comparison == ">" ? value > bound : value >= bound;
}

}  // namespace

bool FailIf::matches(const std::string& name) const { return fnmatch(metric.c_str(), name.c_str(), 0) == 0; }

bool FailIf::fails(double from, double to) const {
    double change = to - from;
    if (percent && change != 0)
        change =
            from == 0 ? std::copysign(std::numeric_limits<double>::infinity(), change) : 100 * change / std::abs(from);
    return holds(magnitude ? std::abs(change) : change, comparison, bound);
}

FailIf parse_fail_if(const std::string& text) {
    Scanner scanner(text);
    FailIf read{.metric = {}, .comparison = {}, .text = text};
    read.magnitude = scanner.take("|");
    read.metric = scanner.metric();
    if (read.magnitude && !scanner.take("|")) scanner.complain("'|' after the metric");
    for (const char* comparison : {"<=", ">=", "<", ">"})
        if (read.comparison.empty() && scanner.take(comparison)) read.comparison = comparison;
    if (read.comparison.empty()) scanner.complain("one of <, <=, > and >=");
    read.bound = scanner.number();
    read.percent = scanner.take("%");
    scanner.end();
    return read;
}

}  // namespace strata
