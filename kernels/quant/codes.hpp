// What the benches of this family read back and compare.
#pragma once

#include <vector>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"

namespace strata {

// `count` elements of a buffer from `first` on, as doubles at the end of `to`.
template <class T>
void append(std::vector<double>& to, const Buffer<T>& buffer, std::int64_t first, std::int64_t count) {
    for (const T x : buffer.read(std::size_t(first), std::size_t(count))) to.push_back(to_float(x));
}

// Codes and scales of some rows or blocks, as they are and as they should be.
struct Compared {
    std::vector<double> codes, codes_should, scales, scales_should;

    // Codes may differ by one step where x * (1 / scale) in float lies beside a tie: 1 in 16 is E4M3's step at worst.
    // Where a tile's largest magnitude is a multiple of 7, ties of x * 448 / amax are frequent: 1 code in 2000, or 2e-6
    // in all.
    Verdict verdict(double scale_tolerance = 1e-6) const {
        return all_of({close_to(scales, scales_should, 0, scale_tolerance), alike(codes, codes_should, 1e-5),
                       close_to(codes, codes_should, 0x1p-9, 1.0 / 8)});
    }
};

}  // namespace strata
