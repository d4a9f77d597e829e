// What every part of the small networks is made of: named parameters and a few operations. ATen alone is included: its
// operators differentiate themselves, and the rest of libtorch's headers would triple the time to compile.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace strata {

// How the optimisers treat it.
enum class ParameterKind {
    matrix,     // the last two dimensions are one; Muon's where it is asked for
    embedding,  // tokens, and the head
    table,      // rows of Engram: no decay, a higher rate
    vector      // gates and biases: no decay
};

struct Parameter {
    std::string name;
    at::Tensor value;
    ParameterKind kind = ParameterKind::matrix;
};

inline at::Tensor trainable(at::Tensor value) { return value.set_requires_grad(true); }

// Normal with this standard deviation, from the generator that at::manual_seed sets.
inline at::Tensor drawn(at::IntArrayRef sizes, double deviation) { return trainable(at::randn(sizes) * deviation); }

// Over the last dimension; the products that follow hold the scale.
inline at::Tensor rms_norm(const at::Tensor& x) { return x * at::rsqrt(x.square().mean(-1, true) + 1e-6); }

}  // namespace strata
