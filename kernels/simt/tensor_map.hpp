// A tensor in the accelerator's memory as bulk tensor copies (TMA) see it: its size and strides, the box that one copy
// moves, and how the box is swizzled in shared memory. Made on the host, passed to the kernel by value:
//
//   __global__ void kernel(const __grid_constant__ TensorMap map, ...)
//   launch("name", kernel, grid, stream, make_tensor_map({.global = a, .element_bytes = 1, .rank = 2,
//          .size = {k, rows}, .stride_bytes = {k}, .box = {128, 64}, .swizzle = Swizzle::bytes_128}), ...);
//
// Dimension 0 runs fastest. What of a box lies outside of the tensor is read as zero and not written. Only .cu files
// (compiled by nvcc, or by g++ for the emulator) include this; tests of bodies get the emulated map.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels/simt/swizzle.hpp"

#if defined(__CUDACC__) && !defined(STRATA_EMULATED)
#include <cuda.h>
#include <cuda_runtime.h>

#include "kernels/launch.cuh"
#endif

namespace strata {

struct TensorTiles {
    const void* global = nullptr;
    int element_bytes = 1;  // 1, 2 or 4
    int rank = 2;           // 1 to 3
    std::array<long, 3> size{1, 1, 1};
    std::array<long, 2> stride_bytes{0, 0};  // of dimensions 1 and 2
    std::array<int, 3> box{1, 1, 1};
    Swizzle swizzle = Swizzle::bytes_128;

    int box_bytes() const { return element_bytes * box[0] * (rank > 1 ? box[1] : 1) * (rank > 2 ? box[2] : 1); }
};

// What the hardware does not take (CUDA driver API, cuTensorMapEncodeTiled), said before the driver says "invalid
// value".
inline void check_tensor_tiles(const TensorTiles& tiles) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("tensor map: " + what); };
    if (tiles.rank < 1 || tiles.rank > 3) refuse("rank " + std::to_string(tiles.rank) + "; expected 1 to 3");
    if (tiles.element_bytes != 1 && tiles.element_bytes != 2 && tiles.element_bytes != 4)
        refuse("elements of " + std::to_string(tiles.element_bytes) + " bytes; expected 1, 2 or 4");
    if (!tiles.global || reinterpret_cast<std::uintptr_t>(tiles.global) % 16 != 0)
        refuse("the tensor must begin at a multiple of 16 bytes");
    for (std::size_t i = 0; i < std::size_t(tiles.rank); ++i) {
        const std::string of = " of dimension " + std::to_string(i);
        if (tiles.size[i] < 1 || tiles.size[i] > 1L << 32)
            refuse("size" + of + " is " + std::to_string(tiles.size[i]) + "; expected 1 to 2^32");
        if (tiles.box[i] < 1 || tiles.box[i] > 256)
            refuse("the box" + of + " is " + std::to_string(tiles.box[i]) + "; expected 1 to 256");
        if (i > 0 && (tiles.stride_bytes[i - 1] < 16 || tiles.stride_bytes[i - 1] % 16 != 0 ||
                      tiles.stride_bytes[i - 1] >= 1L << 40))
            refuse("stride" + of + " is " + std::to_string(tiles.stride_bytes[i - 1]) +
                   " bytes; expected a multiple of 16 below 2^40");
    }
    const int row = tiles.box[0] * tiles.element_bytes;
    if (row % 16 != 0) refuse("a row of the box has " + std::to_string(row) + " bytes; expected a multiple of 16");
    if (tiles.swizzle != Swizzle::none && row != row_bytes(tiles.swizzle))
        refuse("a row of the box has " + std::to_string(row) + " bytes; its swizzle needs " +
               std::to_string(row_bytes(tiles.swizzle)));
}

#if defined(__CUDACC__) && !defined(STRATA_EMULATED)

struct TensorMap {
    CUtensorMap map;
};

inline TensorMap make_tensor_map(const TensorTiles& tiles) {
    check_tensor_tiles(tiles);
    // The driver's function, found at run time: a program that links libcuda does not start where there is no GPU.
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result{};
    check_cuda(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &result),
               "looking for cuTensorMapEncodeTiled");
    if (result != cudaDriverEntryPointSuccess || !found)
        throw std::runtime_error("the driver has no cuTensorMapEncodeTiled; expected one of CUDA 12.0 or newer");
    const CUtensorMapDataType types[] = {CU_TENSOR_MAP_DATA_TYPE_UINT8, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
                                         CU_TENSOR_MAP_DATA_TYPE_UINT8, CU_TENSOR_MAP_DATA_TYPE_FLOAT32};
    const CUtensorMapSwizzle swizzles[] = {CU_TENSOR_MAP_SWIZZLE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                                           CU_TENSOR_MAP_SWIZZLE_64B, CU_TENSOR_MAP_SWIZZLE_32B};
    cuuint64_t size[3], strides[2];
    cuuint32_t box[3], element_strides[3] = {1, 1, 1};
    for (int i = 0; i < 3; ++i) size[i] = cuuint64_t(tiles.size[i]), box[i] = cuuint32_t(tiles.box[i]);
    for (int i = 0; i < 2; ++i) strides[i] = cuuint64_t(tiles.stride_bytes[i]);
    TensorMap made{};
    const CUresult code = reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(found)(
        &made.map, types[tiles.element_bytes - 1], cuuint32_t(tiles.rank), const_cast<void*>(tiles.global), size,
        strides, box, element_strides, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzles[int(tiles.swizzle)],
        CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (code != CUDA_SUCCESS)
        throw std::runtime_error("cuTensorMapEncodeTiled failed with code " + std::to_string(int(code)));
    return made;
}

#else

struct TensorMap {
    TensorTiles tiles;
};

inline TensorMap make_tensor_map(const TensorTiles& tiles) {
    check_tensor_tiles(tiles);
    return {tiles};
}

#endif

}  // namespace strata
