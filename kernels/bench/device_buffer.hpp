// Memory of the GPU, or pinned memory of the host that the GPU reads over the bus: owned, and filled at random on the
// GPU itself.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/elements.hpp"
#include "kernels/launch.cuh"

namespace strata {

void* allocate_device(std::size_t bytes);  // throws CudaError, with the bytes asked for and what is free
void* allocate_pinned(std::size_t bytes);
void free_device(void* memory);
void free_pinned(void* memory);

// Fill on the GPU: element i depends on (seed, i) alone. Normal values are Box-Muller of a counter-based hash.
void fill_normal(float* at, std::size_t count, std::uint64_t seed, float deviation, float mean);
void fill_normal(Bf16* at, std::size_t count, std::uint64_t seed, float deviation, float mean);
void fill_normal(E4m3* at, std::size_t count, std::uint64_t seed, float deviation, float mean);
void fill_uniform(float* at, std::size_t count, std::uint64_t seed, float low, float high);
void fill_integers(std::int32_t* at, std::size_t count, std::uint64_t seed, std::int64_t below);
void fill_integers(std::int64_t* at, std::size_t count, std::uint64_t seed, std::int64_t below);
void fill_bytes(void* at, std::size_t bytes, std::uint64_t seed);  // any bits

enum class Where { device, pinned };

template <class T>
class Buffer {
public:
    explicit Buffer(std::size_t count, Where where = Where::device)
        : count_(count),
          memory_(where == Where::device ? allocate_device(count * sizeof(T)) : allocate_pinned(count * sizeof(T)),
                  where == Where::device ? free_device : free_pinned) {}
    explicit Buffer(const std::vector<T>& values) : Buffer(values.size()) { write(values); }

    T* data() const { return static_cast<T*>(memory_.get()); }
    std::size_t size() const { return count_; }
    std::size_t bytes() const { return count_ * sizeof(T); }

    void write(const std::vector<T>& values) {
        check_cuda(cudaMemcpy(data(), values.data(), values.size() * sizeof(T), cudaMemcpyDefault), "writing a buffer");
    }
    std::vector<T> read() const { return read(0, count_); }
    std::vector<T> read(std::size_t first, std::size_t count) const {
        std::vector<T> values(count);
        check_cuda(cudaMemcpy(values.data(), data() + first, count * sizeof(T), cudaMemcpyDefault), "reading a buffer");
        return values;
    }
    void poison() { check_cuda(cudaMemset(data(), 0xFF, bytes()), "poisoning a buffer"); }

private:
    std::size_t count_;
    std::unique_ptr<void, void (*)(void*)> memory_;
};

template <class T>
Buffer<T> random_normal(std::size_t count, std::uint64_t seed, float deviation = 1, float mean = 0) {
    Buffer<T> buffer(count);
    fill_normal(buffer.data(), count, seed, deviation, mean);
    return buffer;
}

template <class T>
Buffer<T> random_integers(std::size_t count, std::uint64_t seed, std::int64_t below) {
    Buffer<T> buffer(count);
    fill_integers(buffer.data(), count, seed, below);
    return buffer;
}

inline Buffer<float> random_uniform(std::size_t count, std::uint64_t seed, float low = 0, float high = 1) {
    Buffer<float> buffer(count);
    fill_uniform(buffer.data(), count, seed, low, high);
    return buffer;
}

}  // namespace strata
