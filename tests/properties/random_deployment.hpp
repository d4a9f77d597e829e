// A model, the machine that it runs on and the ranks that share it, drawn anew until the weights fit: most scenarios
// that are built on one run.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "hwmodels/catalog.hpp"
#include "sim/model/model.hpp"
#include "tests/properties/dice.hpp"
#include "tests/properties/fields.hpp"

namespace strata {

enum class RandomKind { decode, prefill, serving, training, collective };
std::string name_of(RandomKind kind);

struct RandomDeployment {
    Model model;
    Fields precision{};  // as the scenario has it
    double rho = 0;      // 0: as the preset has it
    const SystemSpec* system = nullptr;
    const AcceleratorSpec* accelerator = nullptr;
    int tp = 1, cp = 1, dp = 1, ep = 1, pp = 1;
    std::string experts = "hbm", engram = "hbm";

    int stage_ranks() const { return tp * cp * dp; }
    int ranks() const { return stage_ranks() * pp; }
    int nodes() const {
        const double on_a_node = system->accelerators_per_node.get();
        return std::max(static_cast<int>(system->nodes.get()), static_cast<int>(std::ceil(ranks() / on_a_node)));
    }
};

RandomDeployment random_deployment(RandomKind kind, Dice& dice, const Catalog& catalog,
                                   const std::vector<Model>& presets);

// In HBM mostly; below it where the node has something there, and now and then where it does not.
std::string random_tier(const RandomDeployment& on, Dice& dice, double below);

}  // namespace strata
