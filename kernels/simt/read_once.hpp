// Sixteen bytes of the accelerator's memory that are read once by a kernel and written by none that runs beside it:
// they take no place in L1 from what is read again.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/simt/portable.hpp"

namespace strata {

// As load_pack.
template <class T>
STRATA_BODY Pack<T> read_once(const T* p, long index) {
#ifdef __CUDA_ARCH__
    std::uint32_t words[4];
    asm("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
        : "l"(__cvta_generic_to_global(p + index)));
    Pack<T> pack;
    memcpy(&pack, words, sizeof(words));
    return pack;
#else
    return load_pack(p, index);
#endif
}

}  // namespace strata
