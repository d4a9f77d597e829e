// The small networks: embedding, then layers of attention and a mixture of experts, an Engram table before the second
// layer, a head. At a budget, rho moves sparse parameters from experts into rows of the table; total and active
// parameters, and with them FLOPs, stay what they are, as in arXiv 2601.07372, section 3.1: what a router of fewer
// experts or a gate that is not there would save goes into a wider shared expert.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/quality/residual_gain.hpp"

namespace strata {

struct Budget {
    std::string name;
    int hidden = 0, heads = 0, layers = 0;
    int expert_width = 0, top_k = 4, shared_width = 0;
    int idle_experts = 0;                      // of a layer at rho 1, beyond the top_k that a token meets
    int row_width = 0;                         // of a table's row; a token reads 16
    int sequences = 0, length = 0, steps = 0;  // of training, each step on text of its own
    double rate = 0;  // of learning, at its highest: a twentieth of the steps up to it, a cosine down to a tenth
};

struct NetworkShape {
    Budget budget;
    ResidualKind residual = ResidualKind::plain;
    int streams = 1;
    int experts = 0;           // of a layer
    int widened = 0;           // by how much the shared expert of the table's layer is wider
    std::int64_t buckets = 0;  // of an order and head of the table; 0: there is none
    std::int64_t rows = 0;     // of the table: primes from `buckets` up

    static constexpr int kTableLayer = 1;  // never the first: the gate needs context (arXiv 2601.07372)
    bool has_table(int layer) const { return buckets > 0 && layer == kTableLayer; }
    int shared_width(int layer) const { return budget.shared_width + (layer == kTableLayer ? widened : 0); }
    int row_values() const;  // that a token reads

    // Without embedding and head, as the paper counts. What streams cost on top (their mixing, and a key of the gate
    // for each) is in them and not made up for.
    double total_parameters() const;
    double active_parameters() const;
    double sparse_in_table() const;           // share of the sparse parameters
    double training_flops_per_token() const;  // forward and twice that backward, attention over the causal half
};

// rho: the experts' share of the sparse parameters, 1: no table. Throws InputError where the table would have no rows
// worth the name, or rho is out of 0 to 1.
NetworkShape shape_of(const Budget& budget, double rho, ResidualKind residual);

}  // namespace strata
