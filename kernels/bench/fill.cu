// Random operands made on the GPU: at hundreds of gigabytes a second, and the same for the same seed on any card.
#include <cuda_runtime.h>

#include "kernels/bench/device_buffer.hpp"
#include "kernels/mixed_bits.hpp"

namespace strata {

namespace {

STRATA_HD float unit(std::uint32_t bits) { return (float(bits >> 8) + 0.5f) * 0x1p-24f; }  // in (0, 1)

#ifdef STRATA_EMULATED
template <class T, class Value>
void fill(T* at, std::size_t count, std::uint64_t seed, Value value) {
    for (std::size_t i = 0; i < count; ++i) at[i] = value(mixed_bits(mixed_bits(seed) + i));
}
#else
template <class T, class Value>
__global__ void fill_kernel(T* at, std::size_t count, std::uint64_t seed, Value value) {
    for (std::size_t i = blockIdx.x * std::size_t(blockDim.x) + threadIdx.x; i < count;
         i += std::size_t(gridDim.x) * blockDim.x)
        at[i] = value(mixed_bits(mixed_bits(seed) + i));
}

template <class T, class Value>
void fill(T* at, std::size_t count, std::uint64_t seed, Value value) {
    if (count == 0) return;
    launch("filling a buffer", fill_kernel<T, Value>, Grid{.blocks = 1024, .threads = 256}, nullptr, at, count, seed,
           value);
}
#endif

template <class T>
struct Normal {
    float deviation, mean;
    STRATA_HD T operator()(std::uint64_t bits) const {
        const float radius = std::sqrt(-2 * std::log(unit(std::uint32_t(bits))));
        return from_float<T>(mean + deviation * radius * std::cos(6.28318531f * unit(std::uint32_t(bits >> 32))));
    }
};

struct Uniform {
    float low, high;
    STRATA_HD float operator()(std::uint64_t bits) const { return low + (high - low) * unit(std::uint32_t(bits)); }
};

template <class T>
struct Integer {
    std::uint64_t below;
    STRATA_HD T operator()(std::uint64_t bits) const {
#ifdef __CUDA_ARCH__
        return T(__umul64hi(bits, below));
#else
        __extension__ using Wide = unsigned __int128;
        return T((Wide(bits) * below) >> 64);
#endif
    }
};

template <class T>
struct Bits {
    STRATA_HD T operator()(std::uint64_t bits) const { return T(bits); }
};

}  // namespace

void fill_normal(float* at, std::size_t n, std::uint64_t seed, float deviation, float mean) {
    fill(at, n, seed, Normal<float>{deviation, mean});
}
void fill_normal(Bf16* at, std::size_t n, std::uint64_t seed, float deviation, float mean) {
    fill(at, n, seed, Normal<Bf16>{deviation, mean});
}
void fill_normal(E4m3* at, std::size_t n, std::uint64_t seed, float deviation, float mean) {
    fill(at, n, seed, Normal<E4m3>{deviation, mean});
}
void fill_uniform(float* at, std::size_t n, std::uint64_t seed, float low, float high) {
    fill(at, n, seed, Uniform{low, high});
}
void fill_integers(std::int32_t* at, std::size_t n, std::uint64_t seed, std::int64_t below) {
    fill(at, n, seed, Integer<std::int32_t>{std::uint64_t(below)});
}
void fill_integers(std::int64_t* at, std::size_t n, std::uint64_t seed, std::int64_t below) {
    fill(at, n, seed, Integer<std::int64_t>{std::uint64_t(below)});
}
void fill_bytes(void* at, std::size_t bytes, std::uint64_t seed) {
    const std::size_t words = bytes / 8;  // a byte at a time would take seconds over the bus
    fill(static_cast<std::uint64_t*>(at), words, seed, Bits<std::uint64_t>{});
    fill(static_cast<std::uint8_t*>(at) + words * 8, bytes % 8, seed + 1, Bits<std::uint8_t>{});
}

}  // namespace strata
