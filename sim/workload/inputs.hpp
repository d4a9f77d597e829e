// What the points of a study have in common, read once: catalogue, cost book, and each platform at its first use.
#pragma once

#include <map>
#include <string>

#include "sim/workload/build_program.hpp"

namespace strata {

class Inputs {
public:
    // `root` holds hwmodels/catalog and sim/cost.
    explicit Inputs(const std::string& root);

    const Catalog& catalog() const { return catalog_; }
    const CostBook& costs() const { return costs_; }
    const Platform& platform(const PlatformSpec& spec);
    // Throws InputError for a point that does not fit its platform, or needs a number that nobody has published.
    Program program_of(const Scenario& scenario);

private:
    Catalog catalog_;
    CostBook costs_;
    std::map<PlatformSpec, Platform> platforms_;
};

}  // namespace strata
