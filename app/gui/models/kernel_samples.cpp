#include "app/gui/models/kernel_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"
#include "hwmodels/json_count.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

template <class Value>
std::optional<Value> known(const Json& json, const char* field) {
    const auto at = json.find(field);
    return at == json.end() || at->is_null() ? std::nullopt : std::optional(at->get<Value>());
}

std::string text_of(const Json& shape) {
    std::string text;
    for (const auto& [name, length] : shape.items())
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, length.dump());
    return text;
}

void add_measured(KernelSample& sample, const Json& line) {
    const Json& times = line.at("t_us");
    sample.median_us = times.at("median");
    sample.p05_us = times.at("p05");
    sample.p95_us = times.at("p95");
    sample.repeats = count_in(times, "n");
    sample.ceiling = known<std::string>(line, "ceiling").value_or("");
    sample.share = known<double>(line, "share_of_ceiling");
    sample.gbs = line.at("gbs");
    sample.tflops = line.at("tflops");
    if (const Json goal = line.value("goal", Json()); goal.is_object()) {
        sample.goal = known<std::string>(goal, "text").value_or("");
        sample.goal_share = known<double>(goal, "share");
        sample.goal_us = known<double>(goal, "us");
        sample.reached = known<bool>(goal, "reached");
    }
    for (const Json& baseline : line.value("baselines", Json::array()))
        if (const auto times_as_fast = known<double>(baseline, "times_as_fast"))
            sample.baselines += fmt::format("{}{:.2f} x {}", sample.baselines.empty() ? "" : ", ", *times_as_fast,
                                            baseline.at("name").get<std::string>());
}

void read_line(const Json& line, std::string& device, std::vector<KernelSample>& samples) {
    const std::string kind = line.at("kind");
    if (kind == "run") device = line.at("gpu").at("name");
    if (kind != "sample") return;
    KernelSample sample{.device = device,
                        .kernel = line.at("kernel"),
                        .shape = text_of(line.at("shape")),
                        .outcome = line.at("outcome"),
                        .reason = known<std::string>(line, "reason").value_or("")};
    if (sample.measured()) add_measured(sample, line);
    samples.push_back(std::move(sample));
}

}  // namespace

std::vector<KernelSample> kernel_samples(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    if (std::filesystem::is_directory(folder))
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            if (entry.path().extension() == ".jsonl") files.push_back(entry.path());
    std::ranges::sort(files);
    std::vector<KernelSample> samples;
    for (const auto& file : files) {
        std::ifstream stream(file);
        std::string device, text;
        for (int number = 1; std::getline(stream, text); ++number) {
            try {
                if (!text.empty()) read_line(Json::parse(text), device, samples);
            } catch (const std::exception& error) {
                throw InputError(fmt::format("{}:{}", file.string(), number),
                                 "a line of a kernel record (kernels/README.md)", error.what());
            }
        }
    }
    return samples;
}

}  // namespace strata
