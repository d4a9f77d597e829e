#include "kernels/attention/latent_launch.cuh"
#include "kernels/attention/mla_decode_launch.hpp"

namespace strata {

void mla_decode(const MlaDecodeTask& task, cudaStream_t stream) { launch_latent_attention("MLA decode", task, stream); }

}  // namespace strata
