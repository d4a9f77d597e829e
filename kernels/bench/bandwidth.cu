#include "kernels/bench/bandwidth.hpp"
#include "kernels/launch.cuh"
#include "kernels/mixed_bits.hpp"

namespace strata {

namespace {

constexpr int kThreads = 256, kInFlight = 8;

__device__ float sum_of(float4 four) { return four.x + four.y + four.z + four.w; }
__device__ void keep(float sum, float* sink) {
    if (sum == 1.25e-30f) *sink = sum;  // never; keeps the loads
}

__global__ void __launch_bounds__(kThreads) copy_kernel(float4* to, const float4* from, std::int64_t count) {
    const std::int64_t stride = std::int64_t(gridDim.x) * kThreads * kInFlight;
    for (std::int64_t base = blockIdx.x * std::int64_t(kThreads * kInFlight) + threadIdx.x; base < count;
         base += stride) {
        float4 held[kInFlight];
#pragma unroll
        for (int i = 0; i < kInFlight; ++i)
            if (base + i * kThreads < count) held[i] = __ldcs(from + base + i * kThreads);
#pragma unroll
        for (int i = 0; i < kInFlight; ++i)
            if (base + i * kThreads < count) __stcs(to + base + i * kThreads, held[i]);
    }
}

__global__ void __launch_bounds__(kThreads) read_kernel(const float4* from, std::int64_t count, float* sink) {
    const std::int64_t stride = std::int64_t(gridDim.x) * kThreads * kInFlight;
    float sum = 0;
    for (std::int64_t base = blockIdx.x * std::int64_t(kThreads * kInFlight) + threadIdx.x; base < count;
         base += stride) {
        float4 held[kInFlight] = {};
#pragma unroll
        for (int i = 0; i < kInFlight; ++i)
            if (base + i * kThreads < count) held[i] = __ldcs(from + base + i * kThreads);
#pragma unroll
        for (int i = 0; i < kInFlight; ++i) sum += sum_of(held[i]);
    }
    keep(sum, sink);
}

// Every piece of sixteen bytes of the chosen rows, one a thread and turn: neighbours read one row together.
__global__ void __launch_bounds__(kThreads)
    random_rows_kernel(const float4* table, std::int64_t table_rows, std::int64_t pieces, std::int64_t count,
                       std::uint64_t seed, float* sink) {
    const std::int64_t all = count * pieces, stride = std::int64_t(gridDim.x) * kThreads * kInFlight;
    float sum = 0;
    for (std::int64_t base = blockIdx.x * std::int64_t(kThreads * kInFlight) + threadIdx.x; base < all;
         base += stride) {
        float4 held[kInFlight] = {};
#pragma unroll
        for (int i = 0; i < kInFlight; ++i) {
            const std::int64_t at = base + i * kThreads;
            if (at >= all) continue;
            const std::int64_t row =
                std::int64_t(__umul64hi(mixed_bits(seed + std::uint64_t(at / pieces)), table_rows));
            held[i] = __ldcs(table + row * pieces + at % pieces);
        }
#pragma unroll
        for (int i = 0; i < kInFlight; ++i) sum += sum_of(held[i]);
    }
    keep(sum, sink);
}

}  // namespace

void copy_bytes(void* to, const void* from, std::int64_t bytes, cudaStream_t stream) {
    const std::int64_t count = bytes / 16;
    copy_kernel<<<unsigned((count + kThreads * kInFlight - 1) / (kThreads * kInFlight)), kThreads, 0, stream>>>(
        static_cast<float4*>(to), static_cast<const float4*>(from), count);
    check_cuda(cudaGetLastError(), "copy_bytes");
}

void read_bytes(const void* from, std::int64_t bytes, float* sink, int blocks, cudaStream_t stream) {
    read_kernel<<<unsigned(blocks), kThreads, 0, stream>>>(static_cast<const float4*>(from), bytes / 16, sink);
    check_cuda(cudaGetLastError(), "read_bytes");
}

void read_random_rows(const void* table, std::int64_t table_rows, std::int64_t row_bytes, std::int64_t count,
                      std::uint64_t seed, float* sink, int blocks, cudaStream_t stream) {
    random_rows_kernel<<<unsigned(blocks), kThreads, 0, stream>>>(static_cast<const float4*>(table), table_rows,
                                                                  row_bytes / 16, count, seed, sink);
    check_cuda(cudaGetLastError(), "read_random_rows");
}

}  // namespace strata
