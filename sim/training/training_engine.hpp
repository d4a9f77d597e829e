// A scenario of kind `training`: the ops of a micro-batch priced by the cost book, stages that are shared out evenly, a
// pipeline schedule simulated task by task, the optimiser, and what failures leave of a long run.
#pragma once

#include "sim/result/run.hpp"
#include "sim/training/optimiser.hpp"
#include "sim/training/stage_costs.hpp"
#include "sim/training/training_memory.hpp"
#include "sim/training/training_step.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// Where the time of a step goes, on average over the pipeline's devices: the parts add up to `step`.
struct StepParts {
    Seconds forward, backward, weights, forward_and_backward;  // by what a device does: 1F, 1B, 1W, 1F1B
    Seconds bubble;
    Seconds update;   // from the last gradient on: gradients are reduced, parameters updated and gathered
    Seconds exposed;  // of all these: exchanges and sums that kernels wait for
    Seconds step;
};

struct TrainingPlan {
    std::vector<int> stages;  // first layer of each, and behind them the number of layers
    std::vector<LayerCost> costs;
    TrainingStepSpec spec;
    TrainingStep step;
    StepParts parts;
    Seconds straggling;     // of a device in the step: how much longer it computes than with even tokens
    TrainingMemory memory;  // of the rank that has least left
};

// Throws InputError for a schedule that does not divide, a placement that does not fit, or a number that nobody has
// published.
TrainingPlan plan_training(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                           const ProgramInputs& more = {});

Run run_training(const Scenario& scenario, Inputs& inputs);

}  // namespace strata
