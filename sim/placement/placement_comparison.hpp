// The ways to place experts beside each other: linear, random, EPLB and by partition, made from one sample of tokens
// and judged by another.
#pragma once

#include <string_view>
#include <vector>

#include "sim/placement/token_exchange.hpp"

namespace strata {

struct ComparisonSpec {
    int experts = 0, redundant = 0;
    int groups = 1;  // of the model's group-limited routing: EPLB keeps them together where they divide among the nodes
    TwoLevelFabric fabric{};
    TokenCost cost{};
    SlotChoice choice = SlotChoice::even;
    double tolerance = 0.1;  // of the partition
    std::uint64_t seed = 0;
};

struct PlacedExperts {
    std::string_view name;  // a literal
    ExpertPlacement placement;
    ExchangeScore score;
};

// In the order linear, random, eplb, partition. Throws InputError where slots do not divide among the ranks.
std::vector<PlacedExperts> compare_placements(const TokenSample& learned, const TokenSample& judged,
                                              const ComparisonSpec& spec);

}  // namespace strata
