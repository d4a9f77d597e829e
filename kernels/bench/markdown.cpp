#include "kernels/bench/markdown.hpp"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "kernels/bench/build_facts.hpp"

namespace strata {

namespace {

using Json = nlohmann::json;
using Samples = std::map<std::string, Json>;  // "kernel shape" -> sample

void take(const std::string& record, Samples& samples) {
    std::ifstream file(record);
    if (!file) throw std::invalid_argument(record + ": cannot be read");
    int number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        try {
            const Json json = Json::parse(line);
            if (json.at("kind") != "sample") continue;
            if (json.at("source_hash") != source_hash_of(json.at("source"))) continue;
            std::string shape;
            for (const auto& [name, value] : json.at("shape").items()) shape += " " + name + "=" + value.dump();
            samples[json.at("kernel").get<std::string>() + shape] = json;
        } catch (const Json::exception& error) {
            throw std::invalid_argument(record + ":" + std::to_string(number) +
                                        ": not a line of a record: " + error.what());
        }
    }
}

// Names in the order of the alphabet, as a parsed record has them.
std::string key_of(const Kernel& kernel, const Shape& shape) {
    std::map<std::string, std::int64_t> sorted(shape.dimensions().begin(), shape.dimensions().end());
    std::string key = kernel.name;
    for (const auto& [name, value] : sorted) key += " " + name + "=" + std::to_string(value);
    return key;
}

std::string rounded(double value, const char* format) {
    char text[32];
    std::snprintf(text, sizeof(text), format, value);
    return text;
}

std::string goal_of(const Kernel& kernel) {
    if (kernel.goal.time) return "at most " + rounded(to_us(*kernel.goal.time), "%.4g us");
    if (kernel.goal.share > 0) return "at least " + rounded(100 * kernel.goal.share, "%.0f %%");
    return "none";
}

std::string reached(const Json& goal) {
    if (goal.at("reached").is_null()) return "";
    return goal.at("reached") ? ": reached" : ": missed";
}

std::string baseline_of(const Json& sample) {
    std::string text;
    for (const Json& baseline : sample.at("baselines"))
        text += (text.empty() ? "" : ", ") + rounded(baseline.at("times_as_fast"), "%.2f x ") +
                baseline.at("name").get<std::string>();
    return text.empty() ? "none" : text;
}

}  // namespace

std::string markdown_table(const std::vector<Kernel>& kernels, const std::vector<std::string>& records) {
    Samples samples;
    for (const std::string& record : records) take(record, samples);
    std::string table =
        "| kernel | shape | time [us] | of the run's ceiling | goal | against |\n|---|---|---|---|---|---|\n";
    for (const Kernel& kernel : kernels) {
        const Shape& shape = kernel.shapes.front().shape;
        table += "| `" + kernel.name + "` | " + shape.text() + " | ";
        const auto found = samples.find(key_of(kernel, shape));
        if (found == samples.end() || found->second.at("outcome") != "measured") {
            const std::string why =
                found == samples.end() ? "not measured" : found->second.at("outcome").get<std::string>();
            table += why + " | " + why + " | " + goal_of(kernel) + " | " + why + " |\n";
            continue;
        }
        const Json& sample = found->second;
        const Json& share = sample.at("share_of_ceiling");
        table += rounded(sample.at("t_us").at("median"), "%.2f") + " | " +
                 (share.is_null()
                      ? "-"
                      : rounded(100 * share.get<double>(), "%.1f %% of ") + sample.at("ceiling").get<std::string>()) +
                 " | " + goal_of(kernel) + reached(sample.at("goal")) + " | " + baseline_of(sample) + " |\n";
    }
    return table;
}

}  // namespace strata
