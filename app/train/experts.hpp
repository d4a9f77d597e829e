// A mixture of fine-grained experts with a shared one, kept even without an auxiliary loss (arXiv 2408.15664): experts
// are chosen by their score plus a bias, weighed by the score alone, and after each step the bias of an expert that met
// more tokens than the mean falls by a fixed rate, of one that met fewer rises.
#pragma once

#include "app/train/tensors.hpp"

namespace strata {

struct ExpertsShape {
    int hidden = 0, experts = 0, top_k = 0, width = 0, shared_width = 0;
    double out_deviation = 0;  // of the initial output weights
};

class Experts {
public:
    explicit Experts(const ExpertsShape& shape);

    at::Tensor forward(const at::Tensor& x);     // [tokens, hidden]; no token is dropped
    void balance(double rate);                   // by the loads of the last forward
    at::Tensor loads() const { return loads_; }  // tokens of each expert in the last forward
    void list(const std::string& prefix, std::vector<Parameter>& parameters) const;

private:
    ExpertsShape shape_;
    at::Tensor router_, bias_;  // [hidden, experts], [experts]
    at::Tensor in_, out_;       // [experts, hidden, 2 width], [experts, width, hidden]
    at::Tensor shared_in_, shared_out_;
    at::Tensor loads_;
};

}  // namespace strata
