#pragma once

#include <cuda_runtime.h>

#include "kernels/optimizer/muon_body.hpp"

namespace strata {

// What comes before Newton-Schulz (two launches: momentum is updated, and `direction` has norm 1) and after it (weights
// are updated from `orthogonal`). Throw std::invalid_argument for a task they do not take, CudaError where a launch
// fails. Nothing to update: nothing is done.
void muon_direction(const MuonTask& task, cudaStream_t stream);
void muon_apply(const MuonTask& task, cudaStream_t stream);

}  // namespace strata
