// `workload.routing` and `placement.experts` of a scenario: where tokens go, and which rank holds which experts.
#pragma once

#include <optional>
#include <string>

#include "hwmodels/yaml_field.hpp"
#include "sim/placement/rank_shares.hpp"
#include "sim/routing/routing_dials.hpp"

namespace strata {

// None where the field is not there: tokens spread evenly. `file` is where a trace's relative path starts from.
std::optional<RoutingDials> read_routing(const YamlField& field, const std::string& file);

// Of `placement.experts`: redundant, order, learned, age, swaps. `routing`: the scenario has one; without it all orders
// are alike.
ExpertDials read_expert_dials(const YamlField& field, bool routing);

}  // namespace strata
