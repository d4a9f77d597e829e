#pragma once

#include <cuda_runtime.h>

#include "kernels/attention/latent_plan.hpp"
#include "kernels/attention/sparse_mla_task.hpp"

namespace strata {

// As mla_decode.
void sparse_mla(const SparseMlaTask& task, cudaStream_t stream);

}  // namespace strata
