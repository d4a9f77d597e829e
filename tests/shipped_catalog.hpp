// The parts and platforms that Strata ships, read once.
#pragma once

#include "hwmodels/catalog.hpp"
#include "tests/source_root.hpp"

namespace strata {

inline const Catalog& shipped_catalog() {
    static const Catalog shipped(kRoot + "/hwmodels/catalog");
    return shipped;
}

}  // namespace strata
