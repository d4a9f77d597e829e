// Sixteen bytes to the accelerator's memory in one instruction, and sure to be: nvcc 13 stores a Pack that was put
// together element by element as four words (seen in its PTX), even through uint4.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/simt/portable.hpp"

namespace strata {

// As store_pack, but never for shared memory.
template <class T>
STRATA_BODY void store_global(T* p, long index, const Pack<T>& pack) {
#ifdef __CUDA_ARCH__
    std::uint32_t words[4];
    memcpy(words, &pack, sizeof(words));
    asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(p + index)), "r"(words[0]),
                 "r"(words[1]), "r"(words[2]), "r"(words[3])
                 : "memory");
#else
    store_pack(p, index, pack);
#endif
}

}  // namespace strata
