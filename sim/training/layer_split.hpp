// Which layers a pipeline stage has: so that the device with most work has as little as can be.
#pragma once

#include <vector>

#include "hwmodels/units.hpp"

namespace strata {

struct LayerLoads {
    std::vector<Seconds> layers;
    Seconds first, last;  // beside the layers, on the first and on the last stage: embedding, head
};

// The first layer of each stage, and behind them the number of layers; each stage has at least one. `in_pairs`: a
// device holds stage i and its mirror image, as DualPipe's do. Throws InputError for fewer layers than stages.
std::vector<int> split_layers(const LayerLoads& loads, int stages, bool in_pairs);

}  // namespace strata
