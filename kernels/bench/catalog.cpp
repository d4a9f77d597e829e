#include "kernels/bench/catalog.hpp"

#include "kernels/attention/compression_kernels.hpp"
#include "kernels/attention/full_attention_kernels.hpp"
#include "kernels/attention/indexer_kernels.hpp"
#include "kernels/attention/latent_kernels.hpp"
#include "kernels/attention/selection_kernels.hpp"
#include "kernels/collective/kernels.hpp"
#include "kernels/engram/kernels.hpp"
#include "kernels/gemm/kernels.hpp"
#include "kernels/mhc/kernels.hpp"
#include "kernels/moe/kernels.hpp"
#include "kernels/mtp/kernels.hpp"
#include "kernels/optimizer/kernels.hpp"
#include "kernels/quant/kernels.hpp"
#include "kernels/rl/kernels.hpp"
#include "kernels/vision/kernels.hpp"

namespace strata {

std::vector<Kernel> every_kernel() {
    std::vector<Kernel> all;
    for (const auto family :
         {mhc_kernels, engram_kernels, gemm_kernels, mla_decode_kernels, sparse_mla_kernels, prefill_kernels,
          selection_kernels, compression_kernels, indexer_kernels, moe_kernels, quant_kernels, rl_kernels, mtp_kernels,
          collective_kernels, optimizer_kernels, vision_kernels}) {
        std::vector<Kernel> kernels = family();
        all.insert(all.end(), std::make_move_iterator(kernels.begin()), std::make_move_iterator(kernels.end()));
    }
    return all;
}

}  // namespace strata
