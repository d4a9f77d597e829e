// What a scenario says of money. Each number replaces the catalogue's, and is an assumption of whoever sets it.
#pragma once

#include <optional>
#include <string>

#include "hwmodels/catalog.hpp"
#include "hwmodels/yaml_field.hpp"

namespace strata {

struct Economics {
    std::optional<double> usd_per_accelerator_hour{};  // rented or written off; none: the catalogue's
    std::optional<double> electricity_usd_per_kwh{};   // paid beside the hour; none: the hour includes it
    std::string fabric_file{};                         // of the catalogue; empty: what joins them is not counted
    double utilisation = 1;                            // share of the paid time in which there is such a load
    double pue = 1;                                    // power of the hall over power of the machines in it
};

Economics read_economics(const YamlField& field, const Catalog& catalog);

}  // namespace strata
