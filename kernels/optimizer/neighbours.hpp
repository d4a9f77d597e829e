// n neighbouring elements that a thread loads or stores at once, as many as fill its access: four FP32 numbers are 16
// bytes, the four BF16 numbers beside them 8. So a warp's accesses are whole sectors for both; eight of each would
// leave every FP32 access with half of every sector.
#pragma once

#include "kernels/simt/portable.hpp"

namespace strata {

template <class T, int n>
struct alignas(sizeof(T) * n) Neighbours {
    T at[n];
};

template <int n, class T>
STRATA_HD Neighbours<T, n> load_neighbours(const T* p, long index) {
    return *reinterpret_cast<const Neighbours<T, n>*>(p + index);
}

template <int n, class T>
STRATA_HD void store_neighbours(T* p, long index, const Neighbours<T, n>& elements) {
    *reinterpret_cast<Neighbours<T, n>*>(p + index) = elements;
}

}  // namespace strata
