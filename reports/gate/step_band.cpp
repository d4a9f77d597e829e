#include "reports/gate/step_band.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace strata {

// Families err apart from each other (docs/uncertainty.md), so their distances to p10 and p90 add as squares: exact for
// normal errors of a sum, and near it for those of a few percent that stand here.
std::optional<Band> step_band(const CriticalPath& path) {
    double below = 0, above = 0;
    for (const PathTime& time : path.times) {
        below += std::pow(time.ms - time.p10_ms, 2);
        above += std::pow(time.p90_ms - time.ms, 2);
    }
    const double step = path.total_ms();
    if (!(step > 0) || below + above == 0) return std::nullopt;
    return Band{1 - std::sqrt(below) / step, 1 + std::sqrt(above) / step};
}

std::optional<Band> step_band(const nlohmann::ordered_json& path) {
    CriticalPath read;
    for (const auto& time : path.at("times")) {
        const double ms = time.at("ms");
        const auto end = [&](const char* name) { return time.at(name).is_null() ? ms : time.at(name).get<double>(); };
        read.times.push_back({.family = {}, .origin = {}, .ms = ms, .p10_ms = end("p10_ms"), .p90_ms = end("p90_ms")});
    }
    return step_band(read);
}

void add_step_bands(std::map<std::string, Number>& metrics, const Band& relative) {
    constexpr std::array<std::string_view, 3> kTimes{"decode.step_ms", "decode.tpot_ms", "prefill.ttft_ms"};
    constexpr std::array<std::string_view, 4> kRates{"decode.tokens_per_s", "decode.tokens_per_s_per_accelerator",
                                                     "prefill.tokens_per_s", "prefill.tokens_per_s_per_accelerator"};
    for (auto& [name, number] : metrics) {
        if (std::find(kTimes.begin(), kTimes.end(), name) != kTimes.end())
            number.band = Band{number.value * relative.low, number.value * relative.high};
        if (std::find(kRates.begin(), kRates.end(), name) != kRates.end() && relative.low > 0)
            number.band = Band{number.value / relative.high, number.value / relative.low};
    }
}

}  // namespace strata
