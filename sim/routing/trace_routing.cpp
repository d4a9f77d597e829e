#include "sim/routing/trace_routing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string_view>

#include "hwmodels/input_error.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {

namespace {

constexpr std::string_view kHeader = "layer,step,expert,count";

std::string without_return(std::string line) {  // files written on Windows
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
}

// Calls read(line, "file:line") for each line that is not empty.
template <class Read>
void for_lines(const std::string& file, Read read) {
    std::ifstream in(file);
    if (!in) throw InputError(file, "a readable file", "none");
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        line = without_return(line);
        if (!line.empty()) read(line, fmt::format("{}:{}", file, number));
    }
}

// The whole numbers of a line, if it is exactly `count` of them between commas.
std::optional<std::vector<std::int64_t>> whole_numbers(std::string_view line, std::size_t count) {
    std::vector<std::int64_t> numbers;
    const char *at = line.data(), *end = line.data() + line.size();
    for (;;) {
        std::int64_t number = 0;
        const auto [after, error] = std::from_chars(at, end, number);
        if (error != std::errc()) return std::nullopt;
        numbers.push_back(number);
        if (after == end) break;
        if (*after != ',') return std::nullopt;
        at = after + 1;
    }
    if (numbers.size() != count) return std::nullopt;
    return numbers;
}

void check_expert(const std::string& where, std::int64_t expert, int experts) {
    if (expert < 0 || expert >= experts)
        throw InputError(where, fmt::format("an expert from 0 to {}", experts - 1), fmt::format("{}", expert));
}

std::optional<std::int64_t> whole(const nlohmann::json& line, const char* key) {
    const auto found = line.find(key);
    if (found == line.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
}

std::vector<int> experts_of_line(const nlohmann::json& line, const TraceRoutingSpec& spec, const std::string& where) {
    std::vector<int> experts;
    for (const auto& value : line.at("experts")) {
        if (!value.is_number_integer()) throw InputError(where, "whole numbers in experts", value.dump());
        check_expert(where, value.get<std::int64_t>(), spec.experts);
        experts.push_back(value.get<int>());
        if (std::ranges::count(experts, experts.back()) > 1)
            throw InputError(where, "different experts", fmt::format("{} twice", experts.back()));
    }
    if (int(experts.size()) != spec.top_k)
        throw InputError(where, fmt::format("{} experts (top_k)", spec.top_k), fmt::format("{}", experts.size()));
    return experts;
}

// Weights whose draw of top_k includes each expert about as often as its count says: 1 - exp(-weight) of the tokens. An
// expert that nobody took keeps a weight that only decides where all others are taken.
std::vector<double> weights_of(const std::vector<std::int64_t>& counts, int top_k) {
    const double tokens = double(std::accumulate(counts.begin(), counts.end(), std::int64_t(0))) / top_k;
    std::vector<double> weights;
    for (const std::int64_t count : counts)
        weights.push_back(std::max(1e-12, -std::log1p(-std::min(double(count) / tokens, 1 - 1e-9))));
    return weights;
}

}  // namespace

TraceRouting::TraceRouting(const TraceRoutingSpec& spec) : spec_(spec) {
    RouterRule{.experts = spec.experts, .top_k = spec.top_k}.check();
    if (spec.layers < 1) throw InputError("routing.layers", "at least one", fmt::format("{}", spec.layers));
    if (spec.counts_file.empty() && spec.tokens_file.empty())
        throw InputError("routing.trace", "a file of counts or of tokens", "neither");
    if (!spec.counts_file.empty()) read_counts();
    if (!spec.tokens_file.empty()) read_tokens();
}

void TraceRouting::check_place(const std::string& where, std::int64_t layer, std::int64_t step) const {
    if (layer < 0 || layer >= spec_.layers)
        throw InputError(where, fmt::format("a layer from 0 to {}", spec_.layers - 1), fmt::format("{}", layer));
    if (step < 0) throw InputError(where, "a step from 0", fmt::format("{}", step));
}

void TraceRouting::read_counts() {
    bool in_table = false;
    std::map<std::pair<int, std::int64_t>, std::vector<bool>> seen;
    for_lines(spec_.counts_file, [&](const std::string& line, const std::string& where) {
        if (!in_table) {
            if (line != kHeader) throw InputError(where, fmt::format("the header {}", kHeader), line);
            in_table = true;
            return;
        }
        const auto row = whole_numbers(line, 4);
        if (!row) throw InputError(where, "four whole numbers: layer,step,expert,count", line);
        const auto [layer, step, expert, count] = std::tuple((*row)[0], (*row)[1], (*row)[2], (*row)[3]);
        check_place(where, layer, step);
        check_expert(where, expert, spec_.experts);
        if (count < 0) throw InputError(where, "a count from 0", fmt::format("{}", count));
        auto& of_place = seen[{int(layer), step}];
        of_place.resize(std::size_t(spec_.experts));
        if (of_place[std::size_t(expert)])
            throw InputError(where, "one row for each layer, step and expert",
                             fmt::format("a second one of {}, {}, {}", layer, step, expert));
        of_place[std::size_t(expert)] = true;
        Record& record = records_[{int(layer), step}];
        record.counts.resize(std::size_t(spec_.experts));
        record.counts[std::size_t(expert)] = count;
        steps_ = std::max(steps_, step + 1);
    });
    if (!in_table) throw InputError(spec_.counts_file, fmt::format("the header {}", kHeader), "an empty file");
    for (const auto& [place, record] : records_)
        if (std::ranges::all_of(record.counts, [](std::int64_t count) { return count == 0; }))
            throw InputError(spec_.counts_file, "a token at least in each layer and step that it has",
                             fmt::format("none in layer {}, step {}", place.first, place.second));
}

void TraceRouting::read_tokens() {
    for_lines(spec_.tokens_file, [&](const std::string& text, const std::string& where) {
        const auto line = nlohmann::json::parse(text, nullptr, false);
        const bool fits = line.is_object() && whole(line, "layer") && whole(line, "step") && line.contains("experts") &&
                          line["experts"].is_array();
        if (!fits) throw InputError(where, R"({"layer": 0, "step": 0, "experts": [1, 2]})", text);
        const std::int64_t layer = *whole(line, "layer"), step = *whole(line, "step");
        check_place(where, layer, step);
        const std::vector<int> experts = experts_of_line(line, spec_, where);
        std::vector<int>& tokens = records_[{int(layer), step}].tokens;
        tokens.insert(tokens.end(), experts.begin(), experts.end());
        steps_ = std::max(steps_, step + 1);
    });
}

TraceRouting::Record& TraceRouting::record(int layer, std::int64_t step) {
    const auto found = records_.find({layer, step});
    if (found == records_.end())
        throw InputError(spec_.counts_file.empty() ? spec_.tokens_file : spec_.counts_file,
                         fmt::format("rows of layer {}, step {}", layer, step), "none");
    return found->second;
}

std::vector<std::int64_t> TraceRouting::loads(int layer, std::int64_t step) {
    const Record& of = record(layer, step);
    if (!of.counts.empty()) return of.counts;
    std::vector<std::int64_t> counts(std::size_t(spec_.experts));
    for (const int expert : of.tokens) ++counts[std::size_t(expert)];
    return counts;
}

std::vector<int> TraceRouting::experts_of(int layer, std::int64_t step, std::int64_t token) {
    Record& of = record(layer, step);
    if (!of.tokens.empty()) {
        const std::int64_t recorded = std::int64_t(of.tokens.size()) / spec_.top_k;
        const auto first = of.tokens.begin() + (token % recorded) * spec_.top_k;
        return {first, first + spec_.top_k};
    }
    if (of.weights.empty()) of.weights = weights_of(of.counts, spec_.top_k);
    SeededRandom random(spec_.seed, {layer, step, token});
    std::vector<double> odds;
    for (const double weight : of.weights) odds.push_back(weight / random.exponential());
    return chosen_experts({.experts = spec_.experts, .top_k = spec_.top_k}, odds, {});
}

}  // namespace strata
