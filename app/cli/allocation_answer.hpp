// What `strata quality` says of the allocation of sparse parameters: the published losses, and points that were
// measured, with the convex curve through them; and of tables that grow while nothing else does.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace strata {

// `points_file`: a user's own; empty: those that were measured for this project, at small scale. `rho`: also asked for.
nlohmann::ordered_json allocation_json(const std::string& points_file, std::optional<double> rho,
                                       const std::string& root);
void print_allocation(const nlohmann::ordered_json& allocation);

// What more rows alone bring; `slots`: of an order and head of a layer, also asked for.
nlohmann::ordered_json memory_json(std::optional<double> slots, const std::string& root);
void print_memory(const nlohmann::ordered_json& memory);

}  // namespace strata
