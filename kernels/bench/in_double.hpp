// Buffers as a reference wants them.
#pragma once

#include <vector>

#include "kernels/bench/device_buffer.hpp"

namespace strata {

template <class T>
std::vector<double> in_double(const std::vector<T>& values) {
    std::vector<double> all;
    all.reserve(values.size());
    for (const T x : values) all.push_back(to_float(x));
    return all;
}

template <class T>
std::vector<double> in_double(const Buffer<T>& buffer) {
    return in_double(buffer.read());
}

template <class T>
std::vector<double> row_of(const Buffer<T>& buffer, std::int64_t row, std::int64_t width) {
    return in_double(buffer.read(std::size_t(row * width), std::size_t(width)));
}

}  // namespace strata
