// What training keeps in a rank's memory, by class.
#pragma once

#include "sim/training/stage_parameters.hpp"

namespace strata {

struct TrainingMemory {
    Bytes weights;      // as products take them
    Bytes gradients;    // summed in FP32 (DeepSeek-V3, arXiv 2412.19437, section 3.3.3)
    Bytes optimiser;    // FP32 master weights, and two moments in BF16 (the same) or Muon's momentum in FP32
    Bytes activations;  // of the micro-batches that the schedule has under way
    Bytes engram;       // a rank's share of tables and their state
    Bytes buffers;      // logits of a micro-batch, and tokens on their way to experts and back
    Bytes all() const { return weights + gradients + optimiser + activations + engram + buffers; }
};

// Of a micro-batch and some forward ops, what the backward pass needs.
Bytes kept_activations(const Model& trained, const std::vector<Op>& forward, Recompute recompute, double layers);

struct StageMemory {
    Parameters parameters;
    Bytes activations;  // of one micro-batch
    double tables = 0;  // Engram layers of the stage
    bool head = false;
};

// Of a rank that holds `stages` and the activations of `micro_batches` of each of them on average.
TrainingMemory training_memory(const Scenario& scenario, const std::vector<StageMemory>& stages, double micro_batches);

// A rank's table rows with their optimiser state.
Bytes engram_state(const Scenario& scenario, double tables);

// Throws InputError that names the classes and what there is.
void check_fits(const Scenario& scenario, const TrainingMemory& memory);

}  // namespace strata
