// AdamW (Loshchilov and Hutter 2019), or Muon for matrices with AdamW for the rest, as DeepSeek-V4 trains (arXiv
// 2606.19348, algorithm 1): a matrix's momentum is made orthonormal by Newton-Schulz steps and scaled to the size that
// AdamW's updates have, so that both take the same rate. Rows of a table take five times the rate and no decay (arXiv
// 2601.07372, table 5).
#pragma once

#include "app/train/point.hpp"
#include "app/train/tensors.hpp"

namespace strata {

// A batch of matrices [.., m, n], each to the nearest with orthonormal rows or columns; singular values end in 0.7
// to 1.2.
at::Tensor orthogonalised(const at::Tensor& matrices, int steps);

class WeightOptimiser {
public:
    WeightOptimiser(OptimiserKind kind, const std::vector<Parameter>& parameters);

    void step(double rate);  // with the gradients that are there, which it then clears

private:
    struct State {
        Parameter parameter;
        at::Tensor mean, square;  // square: of AdamW alone
        bool orthogonal = false;
    };
    void adamw(State& state, double rate);
    static void muon(State& state, double rate);

    std::vector<State> states_;
    int steps_ = 0;
};

}  // namespace strata
