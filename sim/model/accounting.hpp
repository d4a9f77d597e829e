// Exact accounting of a Model: parameters, stored bytes, KV cache, FLOPs, and the allocation dial.
#pragma once

#include <vector>

#include "sim/model/model.hpp"

namespace strata {

// Matrices only: norms, biases and gates are below 0.01 % and not counted. Active counts what one token multiplies
// with (the head, not the embedding row).
struct ParameterCount {
    double embedding = 0, head = 0, attention = 0, dense = 0, router = 0, shared = 0, routed = 0, residual = 0,
           engram_projection = 0, engram_tables = 0, mtp_projection = 0;
    double active_decode = 0, active_prefill = 0;
    double backbone() const {
        return embedding + head + attention + dense + router + shared + routed + residual + engram_projection +
               mtp_projection;
    }
    double total() const { return backbone() + engram_tables; }
};

struct WeightBytes {
    Bytes experts;  // routed
    Bytes engram;   // tables
    Bytes other;
    Bytes mtp;  // in none of the above
};

// The main model, which is what published totals count.
ParameterCount parameters(const Model& model);
// The multi-token-prediction layers alone, without the embedding and the head that they share with the main model.
ParameterCount mtp_parameters(const Model& model);
WeightBytes weight_bytes(const Model& model);
double kv_bytes_per_token(const Model& model);     // with index keys, without windows, which do not grow
double index_bytes_per_token(const Model& model);  // index keys alone
// Of a sequence: entries of the sliding windows of all layers, one a token of the window. Those last tokens stay where
// they were made, whatever tier holds what is compressed.
double window_bytes(const Model& model, double tokens);

// Rows of each Engram layer. Every (order, head) table has a prime number of rows, all different: from `buckets` on,
// layers first, then orders, then heads (released code of DeepSeek-V4.1-Flash; arXiv 2601.07372, section 2.2).
std::vector<long long> engram_rows(const Model& model);

// One decoded token behind `context` cached ones. `fp8_equivalent` counts an operation at BF16 twice and at FP4 half,
// as the V4 report does; MXFP4 expert weights meet FP8 activations and count as FP8, the V4 indexer's FP4 products as
// FP4.
double decode_flops(const Model& model, double context, bool fp8_equivalent = false);

// Forward and backward (three times forward) of one token in a causal sequence: 6 FLOPs a parameter and attention.
double training_flops(const Model& model, double sequence);

// The dial of arXiv 2601.07372, section 3.1: experts hold the share `rho` of the sparse parameters, tables the rest;
// total and active parameters stay. Expert count is a whole number, rows take up the remainder. Throws InputError where
// a model has no experts or no Engram shape to put rows into, or the dial leaves fewer experts than a token uses.
Model with_allocation(const Model& model, double rho);

}  // namespace strata
