// Every kernel call of one rank's step, in order. Element-wise ops (norms, rotary, SwiGLU, quantisation, residual adds
// of plain models) are fused into their neighbours and not listed; the cost curves were fitted on fused modules.
#pragma once

#include "sim/model/model.hpp"

namespace strata {

std::vector<Op> step_ops(const Model& model, const StepShape& shape);

}  // namespace strata
