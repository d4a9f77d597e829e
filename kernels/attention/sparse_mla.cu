#include "kernels/attention/latent_launch.cuh"
#include "kernels/attention/sparse_mla_launch.hpp"

namespace strata {

void sparse_mla(const SparseMlaTask& task, cudaStream_t stream) { launch_latent_attention("sparse MLA", task, stream); }

}  // namespace strata
