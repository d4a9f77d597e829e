// Bytes of global memory brought to L2 ahead of time, a run of them by one thread; nobody waits for it, and nothing
// changes but time.
#pragma once

#include <cstdint>

#include "kernels/simt/portable.hpp"

namespace strata {

// Address and length are multiples of 16 bytes.
STRATA_BODY void prefetch_to_l2(const void* global, std::uint32_t bytes) {
#ifdef __CUDA_ARCH__
    asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(__cvta_generic_to_global(global)), "r"(bytes)
                 : "memory");
#else
    static_cast<void>(global), static_cast<void>(bytes);
#endif
}

}  // namespace strata
