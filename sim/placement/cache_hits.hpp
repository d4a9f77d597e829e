// What copies in the accelerator's memory answer of reads that would otherwise go to the tier below.
#pragma once

#include <map>
#include <string>

#include "sim/scenario/scenario.hpp"

namespace strata {

// The share of look-ups that the `cached` most popular of `rows` rows answer, under a Zipf law of exponent s >= 0
// (popularity of rank i proportional to i^-s). The sums are replaced by integrals from 1/2, exact within 1 % beyond
// 100 rows.
double zipf_hit_rate(double cached, double rows, double s);

// The routed experts of a layer: of (token, expert) pairs, the share whose expert is cached; and how many different
// experts the step's tokens reach.
struct ExpertHits {
    double of_pairs = 0;
    double cached = 0, missed = 0;  // experts with a token
};
// `tokens` are those that meet the layer. Popularity is a Plackett-Luce weight of r^-exponent (sim/routing).
ExpertHits expert_hits(const Placement& placement, const FfnConfig& ffn, double tokens);

// Of the entries that a layer reads of each sequence. Entries that are all read are cached by their share; of selected
// ones the cache has those that are selected most.
double kv_hits(const Placement& placement, AttentionKind kind, double entries);

// By what is cached, "expert", "kv" and "engram", where it lives below the accelerator's memory.
std::map<std::string, double> cache_hits(const Scenario& scenario);

}  // namespace strata
