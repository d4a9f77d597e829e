// A table on the host that the GPU reads in place, in memory that CUDA manages and that stays where it is: the driver
// gives such memory pages of 2 MB and maps them as such (UVM's chunks on the host), where pinned memory may come in
// pages of 4 KB. Rows at random places are one translation each; how far the pages matter is for a measurement to say.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <optional>

#include "kernels/bench/device_buffer.hpp"

namespace strata {

// Filled with random bits; kept for the next shape of the same size and never freed, as pinned tables are. Nothing
// where this machine cannot have it.
inline std::optional<const std::uint8_t*> managed_table_on_host(std::size_t bytes, std::uint64_t seed) {
    static std::uint8_t* kept = nullptr;
    static std::size_t kept_bytes = 0;
    if (kept && kept_bytes >= bytes) return kept;
    void* memory = nullptr;
    int gpu = 0;
    const cudaMemLocation host{cudaMemLocationTypeHost, 0};
    const auto is_right = [](cudaError_t code) { return code == cudaSuccess || (cudaGetLastError(), false); };
    if (!is_right(cudaGetDevice(&gpu)) || !is_right(cudaMallocManaged(&memory, bytes))) return std::nullopt;
    const cudaMemLocation of_gpu{cudaMemLocationTypeDevice, gpu};
    if (!is_right(cudaMemAdvise(memory, bytes, cudaMemAdviseSetPreferredLocation, host)) ||
        !is_right(cudaMemPrefetchAsync(memory, bytes, host, 0, nullptr)) ||
        !is_right(cudaMemAdvise(memory, bytes, cudaMemAdviseSetAccessedBy, of_gpu)) ||
        !is_right(cudaDeviceSynchronize())) {
        cudaFree(memory);
        return std::nullopt;
    }
    kept = static_cast<std::uint8_t*>(memory), kept_bytes = bytes;
    fill_bytes(kept, bytes, seed);
    check_cuda(cudaDeviceSynchronize(), "filling a managed table");
    return kept;
}

}  // namespace strata
