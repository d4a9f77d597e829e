#include "sim/result/provenance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace strata {

namespace {

bool is_modelled_alone(const std::string& metric) {
    for (const char* group : {"network.", "goodput.", "quality."})
        if (metric.rfind(group, 0) == 0) return true;
    return false;
}

}  // namespace

std::string provenance_of(const Run& run, const std::string& metric) {
    if (run.accessed) return run.accessed->origin;
    if (is_modelled_alone(metric) || run.share_of_compute.empty()) return "modelled";
    return std::max_element(run.share_of_compute.begin(), run.share_of_compute.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

std::string provenance_shares(const Run& run, const std::string& metric) {
    if (run.accessed || is_modelled_alone(metric) || run.share_of_compute.empty()) return provenance_of(run, metric);
    std::vector<std::pair<double, std::string>> shares;
    for (const auto& [origin, share] : run.share_of_compute)
        if (share > 0) shares.emplace_back(-share, origin);
    std::sort(shares.begin(), shares.end());
    std::string text;
    for (const auto& [minus_share, origin] : shares)
        text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", origin, -100 * minus_share);
    return text;
}

}  // namespace strata
