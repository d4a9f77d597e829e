// Every kernel call of one rank's step, in order. Element-wise ops (norms, rotary, SwiGLU, quantisation, residual adds
// of plain models) are fused into their neighbours and not listed; the cost curves were fitted on fused modules.
#pragma once

#include "sim/model/model.hpp"

namespace strata {

// Layers that are alike have the same ops.
struct StepLayers {
    struct Layer {
        int number;
        std::size_t first, end;  // of its ops
    };
    std::vector<Op> ops;  // once, numbered as the first layer that has them
    std::vector<Layer> layers;
};
StepLayers step_layers(const Model& model, const StepShape& shape);

// Those of each layer.
std::vector<Op> step_ops(const Model& model, const StepShape& shape);

}  // namespace strata
