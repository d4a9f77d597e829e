// Scenarios that somebody could have written, each from a seed: every preset on every system, with the dials of model,
// machine, work and placement turned. Some say what does not go together, as people do; the reader's refusal is an
// answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/properties/random_deployment.hpp"

namespace strata {

class RandomScenarios {
public:
    RandomScenarios(const Catalog& catalog, const std::string& models_folder);
    // The same seed gives the same text.
    std::string text(RandomKind kind, std::uint64_t seed) const;

private:
    const Catalog& catalog_;
    std::vector<Model> presets_;  // by name
};

}  // namespace strata
