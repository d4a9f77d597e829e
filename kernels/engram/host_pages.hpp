// A table on the host that the GPU reads in place, in pages of 2 MB where the system gives them, pinned afterwards:
// pinned memory by itself may come in pages of 4 KB. Rows at random places are one translation each; how far the pages
// matter is for a measurement to say.
#pragma once

#include <cuda_runtime.h>
#include <sys/mman.h>

#include <cstdint>
#include <optional>

#include "kernels/bench/device_buffer.hpp"

namespace strata {

// Filled with random bits; kept for the next shape of the same size and never freed, as pinned tables are. Nothing
// where this machine cannot have it.
inline std::optional<const std::uint8_t*> table_in_large_pages(std::size_t bytes, std::uint64_t seed) {
    constexpr std::size_t kPage = std::size_t(2) << 20;
    static std::uint8_t* kept = nullptr;
    static std::size_t kept_bytes = 0;
    if (kept && kept_bytes >= bytes) return kept;
    void* const memory = mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return std::nullopt;
    auto* const table =
        reinterpret_cast<std::uint8_t*>((reinterpret_cast<std::uintptr_t>(memory) + kPage - 1) / kPage * kPage);
    if (madvise(table, bytes, MADV_HUGEPAGE) != 0 || cudaHostRegister(table, bytes, 0) != cudaSuccess) {
        cudaGetLastError();
        munmap(memory, bytes + kPage);
        return std::nullopt;
    }
    kept = table, kept_bytes = bytes;
    fill_bytes(kept, bytes, seed);
    check_cuda(cudaDeviceSynchronize(), "filling a table on the host");
    return kept;
}

}  // namespace strata
