// One operation of cuDNN, planned for a shape: attention over all keys, or the strided convolution. cuDNN is loaded
// when the first plan is made, so that the program starts without it.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <string>
#include <vector>

namespace strata {

// softmax(scale Q K^T) V, every query over every key; BF16, [batch][row][head][dim]. Masks are not to be had: before
// version 9.21 cuDNN's attention takes none through this interface.
struct AttentionShape {
    long batch = 1, heads = 1, queries = 1, keys = 1, key_dim = 64, value_dim = 64;
    float scale = 1;
};

// 3x3 taps, stride 2, padding 1; BF16, images [height][width][channel], weights [channel out][3][3][channel in].
struct ConvolutionShape {
    long images = 1, height = 1, width = 1, channels_in = 32, channels_out = 8;
};

class LibraryPlan {
public:
    // `device`: for the current GPU, or for one described in cuDNN's JSON; the latter needs no GPU and cannot be
    // launched. Throws NotApplicable where cuDNN is not there or has no engine for the shape.
    explicit LibraryPlan(const AttentionShape& shape, const std::string& device = "");
    explicit LibraryPlan(const ConvolutionShape& shape, const std::string& device = "");
    LibraryPlan(LibraryPlan&&) noexcept;
    ~LibraryPlan();

    // Tensors in the order of the formula: Q, K, V, out; image, weights, out.
    void launch(const std::vector<const void*>& tensors, cudaStream_t stream);

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace strata
