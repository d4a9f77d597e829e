#include <algorithm>

#include "kernels/bench/stage.hpp"

namespace strata {

namespace {

__device__ std::uint64_t timer_ns() {
    std::uint64_t now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    return now;
}

// Opens by itself after a second: a launch that waits for its own stream must not hang the run.
__global__ void bench_gate_kernel(volatile const std::int32_t* open, std::int32_t turn) {
    const std::uint64_t end = timer_ns() + 1'000'000'000;
    while (*open < turn && timer_ns() < end) __nanosleep(100);
}

__global__ void bench_flush_kernel(const float4* memory, std::size_t count, float* sink) {
    float sum = 0;
    for (std::size_t i = blockIdx.x * std::size_t(blockDim.x) + threadIdx.x; i < count;
         i += std::size_t(gridDim.x) * blockDim.x) {
        const float4 four = memory[i];
        sum += four.x + four.y + four.z + four.w;
    }
    if (sum == 1.25e-30f) *sink = sum;  // never; keeps the loads
}

__global__ void bench_clock_kernel(std::uint64_t* ticks) {
    std::uint64_t begin = timer_ns(), from = begin, now = begin;
    while (from == begin) from = timer_ns();  // on an edge of the timer, whose steps are long
    const std::uint64_t cycles = clock64();
    while (now < from + 50'000) now = timer_ns();
    ticks[0] = clock64() - cycles;
    ticks[1] = now - from;
}

}  // namespace

Gate::Gate() : open_(1, Where::pinned) { *open_.data() = 0; }

void Gate::close(cudaStream_t stream) {
    ++turn_;
    bench_gate_kernel<<<1, 1, 0, stream>>>(open_.data(), turn_);
    check_cuda(cudaGetLastError(), "closing the gate");
}

void Gate::open() { *static_cast<volatile std::int32_t*>(open_.data()) = turn_; }

Flush::Flush(std::int64_t l2_bytes)
    : memory_(std::size_t(std::max<std::int64_t>(3 * l2_bytes, 1 << 20)) / 16 * 4), sink_(1) {
    check_cuda(cudaMemset(memory_.data(), 0, memory_.bytes()), "clearing the flush buffer");
}

void Flush::queue(cudaStream_t stream) {
    bench_flush_kernel<<<1024, 256, 0, stream>>>(reinterpret_cast<const float4*>(memory_.data()), memory_.size() / 4,
                                                 sink_.data());
    check_cuda(cudaGetLastError(), "flushing the L2");
}

double sm_clock_mhz(cudaStream_t stream) {
    Buffer<std::uint64_t> ticks(2, Where::pinned);
    bench_clock_kernel<<<1, 1, 0, stream>>>(ticks.data());
    check_cuda(cudaStreamSynchronize(stream), "reading the clock of the multiprocessors");
    return double(ticks.data()[0]) / double(ticks.data()[1]) * 1e3;
}

}  // namespace strata
