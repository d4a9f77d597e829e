// What a micro-batch costs a rank, layer by layer and pass by pass: kernels priced by the cost book, exchanges between
// ranks beside them.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "sim/result/run.hpp"
#include "sim/training/training_ops.hpp"
#include "sim/workload/build_program.hpp"

namespace strata {

struct PassCost {
    Seconds computing;  // with all cores
    Seconds beside;     // with those that exchanges leave
    Seconds exchange;   // of tokens with the ranks of their experts, and of Engram rows
    Seconds tensor;     // all-reduces, which nothing hides
    Seconds alone() const { return computing + exchange + tensor; }
};

// A layer, or some that follow each other.
struct LayerCost {
    std::array<PassCost, 3> passes{};            // by Gradient
    std::map<std::string, Seconds> by_origin{};  // of the computing time of all passes
    std::map<std::string, ComponentTime> components{};

    const PassCost& of(Gradient gradient) const { return passes[static_cast<std::size_t>(gradient)]; }
    PassCost& of(Gradient gradient) { return passes[static_cast<std::size_t>(gradient)]; }
    LayerCost& operator+=(const LayerCost& other);
    Seconds computing() const;
    Seconds alone() const;
    // A forward of one micro-batch and the backward of another: kernels under exchanges, each lane in its order.
    Seconds overlapped() const;
    // Of the exchanges of `overlapped`, what outlasts its kernels.
    Seconds exposed() const;
};

struct ModelCost {
    std::vector<LayerCost> layers;
    std::vector<LayerCost> even;  // the same if tokens spread evenly
    LayerCost first, last;        // beside the layers: the embedding; head and multi-token prediction
};

StepShape micro_batch_of(const Scenario& scenario);
// Where `more` says how tokens are shared out, each layer is its busiest rank's: all others wait for it in the layer's
// exchanges. Throws InputError where the platform lacks a number that is needed.
ModelCost model_cost(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                     const ProgramInputs& more = {});

// What a rank sends so that `ranks`, `stride` ranks apart, hold the sum of their buffers' parts (or all of each other's
// parts), by rings: inside nodes first, then between them with what is left.
Seconds ring_time(Bytes buffer, double ranks, double stride, const Platform& platform, const CostBook& costs);
// Of so many bytes to a neighbour, in the node if `inside`.
Seconds wire_time(Bytes sent, bool inside, const Platform& platform, const CostBook& costs);

}  // namespace strata
