#include "sim/placement/cache_hits.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "sim/routing/inclusion.hpp"
#include "sim/routing/popularity.hpp"

namespace strata {

namespace {

// How likely a token is to choose each expert, the most popular first. The integral takes milliseconds, and a sweep
// asks for few laws.
const std::vector<double>& chances(double experts, double top_k, double exponent) {
    const int count = static_cast<int>(std::round(experts)), k = static_cast<int>(top_k);
    thread_local std::map<std::tuple<int, int, double>, std::vector<double>> known;
    std::vector<double>& found = known[{count, k, exponent}];
    if (!found.empty()) return found;
    std::vector<double> weights = law_weights({.law = PopularityLaw::zipf, .exponents = {exponent}}, 0, count);
    normalise_weights(weights, k);
    return found = inclusion_probabilities({.experts = count, .top_k = k}, weights, {});
}

bool selects(AttentionKind kind) {
    return kind == AttentionKind::dsa || kind == AttentionKind::csa || kind == AttentionKind::reuse;
}

double kv_hits(const Scenario& scenario) {
    double hits = 0, read = 0;
    for (const LayerAttention& layer : scenario.model.attention_of) {
        if (layer.kind == AttentionKind::swa) continue;
        const double entries = scenario.workload.cached() / layer.ratio;
        const double here = selects(layer.kind) ? std::min(entries, scenario.model.attention.indexer_top_k) : entries;
        hits += here * kv_hits(scenario.placement, layer.kind, entries);
        read += here;
    }
    return read > 0 ? hits / read : 0;
}

}  // namespace

double zipf_hit_rate(double cached, double rows, double s) {
    if (cached <= 0) return 0;
    if (cached >= rows) return 1;
    const auto mass = [s](double n) {
        constexpr double kFrom = 0.5;
        const double to = n + 0.5;
        return std::abs(s - 1) < 1e-9 ? std::log(to / kFrom) : (std::pow(to, 1 - s) - std::pow(kFrom, 1 - s)) / (1 - s);
    };
    return std::min(1.0, mass(cached) / mass(rows));
}

ExpertHits expert_hits(const Placement& placement, const FfnConfig& ffn, double tokens) {
    const double experts = ffn.experts + placement.expert_dials.redundant;
    const double cached = std::min(placement.cached_experts, experts);
    const auto reached = [tokens](double chance) { return -std::expm1(tokens * std::log1p(-std::min(chance, 1.0))); };
    if (placement.expert_skew <= 0) {
        const double each = reached(ffn.top_k / experts);
        return {cached / experts, cached * each, (experts - cached) * each};
    }
    const std::vector<double>& chance = chances(experts, ffn.top_k, placement.expert_skew);
    ExpertHits hits;
    for (std::size_t i = 0; i < chance.size(); ++i) {
        const double here = std::clamp(cached - double(i), 0.0, 1.0);  // of this expert's weights
        hits.of_pairs += here * chance[i] / ffn.top_k;
        hits.cached += here * reached(chance[i]);
        hits.missed += (1 - here) * reached(chance[i]);
    }
    return hits;
}

double kv_hits(const Placement& placement, AttentionKind kind, double entries) {
    if (!selects(kind)) return placement.cached_kv;
    return zipf_hit_rate(placement.cached_kv * entries, entries, placement.kv_skew);
}

std::map<std::string, double> cache_hits(const Scenario& scenario) {
    const Placement& placement = scenario.placement;
    const Model& model = scenario.model;
    std::map<std::string, double> hits;
    if (placement.experts != Tier::hbm && model.ffn.experts > 0)
        hits["expert"] = expert_hits(placement, model.ffn, 1).of_pairs;
    if (placement.kv != Tier::hbm) hits["kv"] = kv_hits(scenario);
    if (placement.engram != Tier::hbm && model.engram)
        hits["engram"] = zipf_hit_rate(placement.hot_rows, model.engram->rows_per_layer(), placement.zipf_exponent);
    return hits;
}

}  // namespace strata
