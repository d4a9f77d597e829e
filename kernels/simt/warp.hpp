// Sums and maxima over the lanes of a warp and the threads of a block, always in the same order: the same input gives
// the same bits.
#pragma once

#include "kernels/simt/portable.hpp"

namespace strata {

// Over groups of `lanes` neighbouring lanes (a power of two); every lane gets the result.
template <int lanes = 32, class Thread, class T>
STRATA_BODY T warp_sum(Thread& t, T value) {
    STRATA_UNROLL
    for (int step = lanes / 2; step > 0; step /= 2) value += t.shuffle_xor(value, step);
    return value;
}

template <int lanes = 32, class Thread, class T>
STRATA_BODY T warp_max(Thread& t, T value) {
    STRATA_UNROLL
    for (int step = lanes / 2; step > 0; step /= 2) {
        const T other = t.shuffle_xor(value, step);
        value = other > value ? other : value;
    }
    return value;
}

// Over the block; every thread gets the result. `scratch`: one T a warp in shared memory, free again when this returns.
template <class Thread, class T>
STRATA_BODY T block_sum(Thread& t, T value, T* scratch) {
    value = warp_sum(t, value);
    if (t.lane() == 0) scratch[t.warp()] = value;
    t.sync();
    T sum = 0;
    for (int warp = 0; warp < t.warps(); ++warp) sum += scratch[warp];
    t.sync();
    return sum;
}

template <class Thread, class T>
STRATA_BODY T block_max(Thread& t, T value, T* scratch) {
    value = warp_max(t, value);
    if (t.lane() == 0) scratch[t.warp()] = value;
    t.sync();
    T best = scratch[0];
    for (int warp = 1; warp < t.warps(); ++warp) best = scratch[warp] > best ? scratch[warp] : best;
    t.sync();
    return best;
}

// The sum of the values of lower lanes.
template <class Thread, class T>
STRATA_BODY T warp_exclusive_sum(Thread& t, T value) {
    T sum = value;
    STRATA_UNROLL
    for (int step = 1; step < 32; step *= 2) {
        const T below = t.shuffle_up(sum, step);
        if (t.lane() >= step) sum += below;
    }
    return sum - value;
}

}  // namespace strata
