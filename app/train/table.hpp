// Engram: rows found by hashes of the last two and three bytes, gated into the residual by what the context makes of
// them (arXiv 2601.07372, equations 4 and 6; with the signed root of the released code, without the short convolution,
// as DeepSeek-V4.1 ships it):
//   k_m = W_m e, v = W_v e;  s = norm(h_m) . norm(k_m) w_m / sqrt(d);  h_m += sigmoid(sign(s) sqrt|s|) v
#pragma once

#include <cstdint>

#include "app/train/tensors.hpp"
#include "kernels/engram/hash_parameters.hpp"

namespace strata {

class EngramTable {
public:
    // `buckets` an order and head, rows of `row_width` values.
    EngramTable(std::int64_t buckets, int row_width, int hidden, int streams, int layer);

    // Row ids of every byte of the sequences [sequences, length], as the released hash has them.
    at::Tensor rows_of(const at::Tensor& bytes) const;
    // What is added to the streams [tokens, streams, hidden].
    at::Tensor read(const at::Tensor& streams, const at::Tensor& rows) const;
    void list(const std::string& prefix, std::vector<Parameter>& parameters) const;

private:
    EngramHashLayer hash_;
    int hidden_, streams_;
    at::Tensor table_;         // [rows, row_width]
    at::Tensor keys_, value_;  // [read, streams x hidden], [read, hidden]
    at::Tensor match_;         // w: [streams, hidden]
};

}  // namespace strata
