#include "kernels/bench/device_buffer.hpp"

namespace strata {

void* allocate_device(std::size_t bytes) {
    void* memory = nullptr;
    const cudaError_t code = cudaMalloc(&memory, bytes ? bytes : 1);
    if (code != cudaSuccess) {
        std::size_t free = 0, total = 0;
        cudaMemGetInfo(&free, &total);
        check_cuda(code, "allocating " + std::to_string(bytes) + " B on the GPU, of " + std::to_string(free) +
                             " B free; choose a smaller shape");
    }
    return memory;
}

void* allocate_pinned(std::size_t bytes) {
    void* memory = nullptr;
    check_cuda(cudaMallocHost(&memory, bytes ? bytes : 1), "pinning " + std::to_string(bytes) + " B of host memory");
    return memory;
}

void free_device(void* memory) { cudaFree(memory); }
void free_pinned(void* memory) { cudaFreeHost(memory); }

}  // namespace strata
