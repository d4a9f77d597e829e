// Launches a kernel on a Grid, and turns what the GPU says into an exception.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "kernels/simt/grid.hpp"
#ifdef STRATA_EMULATED
#include "kernels/simt/emulator.hpp"
#endif

namespace strata {

// The GPU, its driver or its memory failed; not the caller's input.
class CudaError : public std::runtime_error {
public:
    CudaError(cudaError_t code, const std::string& doing)
        : std::runtime_error(doing + ": " + cudaGetErrorString(code) + " (" + cudaGetErrorName(code) + ")"),
          code_(code) {}
    cudaError_t code() const { return code_; }

private:
    cudaError_t code_;
};

inline void check_cuda(cudaError_t code, const std::string& doing) {
    if (code == cudaSuccess) return;
    cudaGetLastError();  // so that the next call does not see it again
    throw CudaError(code, doing);
}

#ifdef STRATA_EMULATED
// The kernel in the emulator: each of its threads finds in DeviceThread the fibre that it is.
template <class... Parameters, class... Arguments>
void launch(const char*, void (*kernel)(Parameters...), const Grid& grid, cudaStream_t, const Arguments&... arguments) {
    emulate(grid, ThreadOrder::forward, [&](EmulatedThread&) { kernel(Parameters(arguments)...); });
}
#elif defined(__CUDACC__)
// launch("quantise", kernel, grid, stream, arguments...): dynamic shared memory beyond 48 KB and clusters of more than
// 8 blocks are asked for here.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const Grid& grid, cudaStream_t stream,
            const Arguments&... arguments) {
    if (grid.shared_bytes > 48 * 1024)
        check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(grid.shared_bytes)),
                   name);
    if (grid.cluster > 8)
        check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1), name);
    cudaLaunchAttribute cluster{};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {unsigned(grid.cluster), 1, 1};
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(unsigned(grid.blocks), unsigned(grid.rows), 1);
    config.blockDim = dim3(unsigned(grid.threads), 1, 1);
    config.dynamicSmemBytes = grid.shared_bytes;
    config.stream = stream;
    config.attrs = &cluster;
    config.numAttrs = grid.cluster > 1 ? 1 : 0;
    check_cuda(cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...), name);
}
#endif

}  // namespace strata
