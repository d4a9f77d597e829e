#include "app/gui/models/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace strata {

namespace {

struct Known {
    const char *metric, *label, *unit;
};

// In the order in which an answer shows them; the first six that a run has are shown.
constexpr std::array<Known, 25> kKnown{{{"decode.tpot_ms", "TPOT", "ms"},
                                        {"decode.tokens_per_s_per_accelerator", "Throughput", "tokens/s/GPU"},
                                        {"prefill.ttft_ms", "TTFT", "ms"},
                                        {"prefill.tokens_per_s_per_accelerator", "Throughput", "tokens/s/GPU"},
                                        {"serving.ttft_p99_ms", "TTFT p99", "ms"},
                                        {"serving.tpot_p99_ms", "TPOT p99", "ms"},
                                        {"serving.goodput_per_s", "Goodput", "requests/s"},
                                        {"serving.output_tokens_per_s_per_accelerator", "Throughput", "tokens/s/GPU"},
                                        {"training.step_s", "Step", "s"},
                                        {"training.tokens_per_s_per_accelerator", "Throughput", "tokens/s/GPU"},
                                        {"training.mfu", "MFU", ""},
                                        {"training.bubble_share", "Bubble", ""},
                                        {"collective.time_us", "Time", "us"},
                                        {"collective.busiest_link_share", "Busiest link", ""},
                                        {"access.efficiency", "Efficiency", ""},
                                        {"access.latency_ns", "Latency", "ns"},
                                        {"access.latency_p99_ns", "Latency p99", "ns"},
                                        {"memory.hbm_gb", "HBM of a GPU", "GB"},
                                        {"cost.usd_per_million_tokens", "Cost", "USD/M tokens"},
                                        {"energy.joules_per_token", "Energy", "J/token"},
                                        {"engram.stall_ms", "Engram stall", "ms"},
                                        {"engram.swap_ms", "Engram table swap", "ms"},
                                        {"engram.swap_share", "Waiting for tables", ""},
                                        {"moe.layer_us", "MoE layer", "us"},
                                        {"memory.host_gb", "Host memory", "GB"}}};

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

std::vector<Headline> headlines_of(const Run& run) {
    constexpr std::size_t kMost = 6;
    std::vector<Headline> found;
    for (const auto& [metric, label, unit] : kKnown)
        if (const auto at = run.metrics.find(metric); at != run.metrics.end() && found.size() < kMost)
            found.push_back({metric, label, unit, at->second});
    return found;
}

bool lower_is_better(const std::string& metric) {
    for (const char* more : {"per_s", "per_day", "per_joule", "_hits", "mfu", "efficiency", "goodput", "served_well",
                             "availability", "iops", "batch"})
        if (contains(metric, more)) return false;
    return true;
}

std::string label_of_metric(const std::string& metric) {
    for (const Known& known : kKnown)
        if (metric == known.metric) return *known.unit ? fmt::format("{} [{}]", known.label, known.unit) : known.label;
    return metric;
}

std::vector<Candidate> pareto_front(std::vector<Candidate> candidates, bool x_lower, bool y_lower) {
    const auto key = [](double value, bool lower) { return lower ? value : -value; };
    std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
        return std::pair(key(a.x, x_lower), key(a.y, y_lower)) < std::pair(key(b.x, x_lower), key(b.y, y_lower));
    });
    std::vector<Candidate> front;
    double best = std::numeric_limits<double>::infinity();
    for (const Candidate& candidate : candidates) {
        if (key(candidate.y, y_lower) >= best) continue;
        best = key(candidate.y, y_lower);
        front.push_back(candidate);
    }
    if (!x_lower) std::reverse(front.begin(), front.end());
    return front;
}

}  // namespace strata
