#include "sim/serving/request_trace.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <string_view>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

constexpr std::string_view kColumns = "arrival_s,input_tokens,output_tokens,prefix_id,prefix_tokens";
constexpr std::size_t kRequired = 3;

std::vector<std::string_view> cells_of(std::string_view line) {
    std::vector<std::string_view> cells;
    for (std::size_t begin = 0; begin <= line.size();) {
        const std::size_t end = std::min(line.find(',', begin), line.size());
        cells.push_back(line.substr(begin, end - begin));
        begin = end + 1;
    }
    return cells;
}

class TraceLine {
public:
    TraceLine(std::string where, std::string_view line) : where_(std::move(where)), cells_(cells_of(line)) {}

    std::size_t size() const { return cells_.size(); }
    bool has(std::size_t i) const { return i < cells_.size() && !cells_[i].empty(); }
    template <class Number>
    Number number(std::size_t i, Number least, const char* expected) const {
        Number value{};
        const char* end = cells_[i].data() + cells_[i].size();
        const auto read = std::from_chars(cells_[i].data(), end, value);
        if (read.ec != std::errc{} || read.ptr != end || !(value >= least)) problem(expected, cells_[i]);
        if constexpr (std::is_floating_point_v<Number>)
            if (!std::isfinite(value)) problem(expected, cells_[i]);
        return value;
    }
    [[noreturn]] void problem(const std::string& expected, std::string_view found) const {
        throw InputError(where_, expected, fmt::format("'{}'", found));
    }

private:
    std::string where_;
    std::vector<std::string_view> cells_;
};

Request request_of(const TraceLine& line) {
    Request request;
    request.arrival = Seconds(line.number(0, 0.0, "an arrival time in seconds, not negative"));
    request.input_tokens = line.number(1, 1, "input tokens, at least 1");
    request.output_tokens = line.number(2, 1, "output tokens, at least 1");
    if (!line.has(3)) return request;
    request.prefix = line.number(3, std::int64_t{0}, "a prefix id, a whole number that is not negative, or nothing");
    request.prefix_tokens = line.has(4) ? line.number(4, 0, "prefix tokens, not negative") : request.input_tokens;
    if (request.prefix_tokens > request.input_tokens)
        line.problem("prefix tokens, at most those of the input", fmt::format("{}", request.prefix_tokens));
    return request;
}

}  // namespace

std::vector<Request> read_request_trace(const std::string& file) {
    std::ifstream in(file);
    if (!in) throw InputError(fmt::format("{}: no such file, or not to be read", file));
    std::vector<Request> requests;
    std::size_t columns = 0, number = 0;
    for (std::string text; std::getline(in, text);) {
        if (!text.empty() && text.back() == '\r') text.pop_back();
        const TraceLine line(fmt::format("{}:{}", file, ++number), text);
        if (number == 1) {
            columns = line.size();
            const bool known =
                kColumns.starts_with(text) && (text.size() == kColumns.size() || kColumns[text.size()] == ',');
            if (!known || columns < kRequired)
                line.problem(fmt::format("columns {} (the last two are optional)", kColumns), text);
            continue;
        }
        if (line.size() != columns) line.problem(fmt::format("{} cells, as in the first line", columns), text);
        requests.push_back(request_of(line));
        if (requests.size() > 1 && requests.back().arrival < requests[requests.size() - 2].arrival)
            line.problem("an arrival no earlier than the one before", text);
    }
    if (requests.empty()) throw InputError(file, "at least one request below a line of column names", "none");
    return requests;
}

}  // namespace strata
