// Residual streams around a sublayer: one (plain), or n that are mixed (arXiv 2512.24880, equations 7 to 9):
//   x = norm(all streams);  in = x P_in a_in + b_in, out and mix alike
//   hc:  as they are;  mhc: in = sigmoid(in), out = 2 sigmoid(out), mix = Sinkhorn-Knopp(exp(mix))
//   sublayer(sum_i in_i h_i);  h_i becomes sum_j mix_ij h_j + out_i times what the sublayer answered
#pragma once

#include "app/train/tensors.hpp"
#include "sim/quality/residual_gain.hpp"

namespace strata {

// exp, then `iterations` times columns and rows, so that rows end exact: [.., n, n].
at::Tensor sinkhorn_knopp(const at::Tensor& logits, int iterations);

class StreamMixer {
public:
    StreamMixer(ResidualKind kind, int streams, int hidden, int iterations);

    struct Mix {
        at::Tensor in, out, between;  // [tokens, n], [tokens, n], [tokens, n, n]; none of a plain one
    };
    Mix mix_of(const at::Tensor& streams) const;                        // [tokens, n, hidden]
    at::Tensor input(const at::Tensor& streams, const Mix& mix) const;  // [tokens, hidden]
    at::Tensor join(const at::Tensor& streams, const at::Tensor& answer, const Mix& mix) const;
    void list(const std::string& prefix, std::vector<Parameter>& parameters) const;

private:
    ResidualKind kind_;
    int streams_, hidden_, iterations_;
    at::Tensor maps_;    // P: [n hidden, n + n + n n]
    at::Tensor scales_;  // a: [3]
    at::Tensor biases_;  // b: [n + n + n n]
};

}  // namespace strata
