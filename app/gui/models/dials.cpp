#include "app/gui/models/dials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/model/precision.hpp"

namespace strata {

namespace {

// Over what a designer would ask for: from a quarter of what stands there to eight times that.
Dial bandwidth(const std::string& path, const std::string& label, const std::optional<Bandwidth>& now) {
    const double gb_s = now ? now->si() / 1e9 : 0;
    return {
        .path = path, .label = label, .unit = "GB/s", .low = gb_s / 4, .high = gb_s * 8, .value = gb_s, .log = true};
}

const Sourced<Bandwidth>& rate_of(const LinkSpec& link) {
    return link.effective_bandwidth.value ? link.effective_bandwidth : link.bandwidth;
}

void add_link(std::vector<Dial>& dials, const std::string& name, const std::string& label,
              const std::optional<LinkSpec>& link) {
    if (!link || !rate_of(*link).value) return;
    const char* field = &rate_of(*link) == &link->bandwidth ? "bandwidth" : "effective_bandwidth";
    dials.push_back(bandwidth(fmt::format("platform.{}.{}", name, field), label, rate_of(*link).value));
}

Dial choice(const std::string& path, const std::string& label, std::vector<std::string> choices,
            const std::string& now) {
    if (std::find(choices.begin(), choices.end(), now) == choices.end()) choices.push_back(now);
    return {.path = path, .label = label, .unit = "", .choices = std::move(choices), .choice = now};
}

std::vector<std::string> divisors(int number) {
    std::vector<std::string> found;
    for (int i = 1; i <= number; ++i)
        if (number % i == 0) found.push_back(std::to_string(i));
    return found;
}

}  // namespace

double Dial::at(double position) const {
    if (position <= 0 || position >= 1) return position <= 0 ? low : high;
    double found = log ? low * std::pow(high / low, position) : low + (high - low) * position;
    if (whole) found = std::round(found);
    // Three digits are what a hand can set.
    const double digit = found > 0 ? std::pow(10, std::floor(std::log10(found)) - 2) : 1;
    return std::clamp(std::round(found / digit) * digit, low, high);
}

double Dial::position_of(double given) const {
    const double inside = std::clamp(given, low, high);
    return log ? std::log(inside / low) / std::log(high / low) : (inside - low) / (high - low);
}

std::string Dial::written(double given) const {
    if (unit == "GB/s")
        return given >= 1000 ? fmt::format("{:.3g} TB/s", given / 1000) : fmt::format("{:.3g} GB/s", given);
    return whole ? fmt::format("{:.0f}", given) : fmt::format("{:.3g}", given);
}

std::vector<Dial> dials_of(const Scenario& scenario) {
    std::vector<Dial> dials;
    if (scenario.access || scenario.collective) return dials;
    const bool step = !scenario.serving && !scenario.training;
    const Workload& work = scenario.workload;
    const Placement& placement = scenario.placement;
    if (scenario.model.engram)
        dials.push_back(
            {.path = "model.rho", .label = "rho", .unit = "", .low = 0.4, .high = 1, .value = scenario.rho});
    if (step && !work.largest_with)
        dials.push_back({.path = "workload.batch",
                         .label = "Batch",
                         .unit = "sequences",
                         .low = double(placement.dp * placement.batches()),
                         .high = std::max(4096.0, work.batch * 8),
                         .value = work.batch,
                         .log = true,
                         .whole = true});
    if (step && work.prefill)
        dials.push_back({.path = "workload.prompt",
                         .label = "Prompt",
                         .unit = "tokens",
                         .low = 128,
                         .high = 131072,
                         .value = work.prompt,
                         .log = true,
                         .whole = true});
    if (step && !work.prefill)
        dials.push_back({.path = "workload.context",
                         .label = "Context",
                         .unit = "tokens",
                         .low = 256,
                         .high = 262144,
                         .value = work.context,
                         .log = true,
                         .whole = true});
    if (const auto memory = scenario.platform.accelerator.memory_bandwidth.value)
        dials.push_back(bandwidth("platform.accelerator.memory.bandwidth", "HBM", memory));
    add_link(dials, "host_link", "Host link", scenario.platform.host_link);
    // The raw rate: what the efficiencies of exchanges are shares of.
    if (const auto& link = scenario.platform.scale_up_link; link && link->bandwidth.value)
        dials.push_back(bandwidth("platform.scale_up_link.bandwidth", "Scale-up link", link->bandwidth.value));
    if (placement.stage_ranks() > 1)
        dials.push_back(choice("placement.ep", "EP", divisors(placement.stage_ranks()), std::to_string(placement.ep)));
    if (scenario.model.engram)
        dials.push_back(choice("placement.engram.tier", "Engram in", {"hbm", "host", "cxl", "nvme"},
                               std::string(to_string(placement.engram))));
    if (scenario.model.ffn.experts > 0)
        dials.push_back(choice("model.precision.experts", "Experts as", {"bf16", "fp8_block", "mxfp4", "nvfp4", "int8"},
                               std::string(to_string(scenario.model.experts))));
    return dials;
}

}  // namespace strata
