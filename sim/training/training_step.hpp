// How long a training step takes: a pipeline schedule with the times of its stages, what the data-parallel ranks send
// each other, and the optimiser. Simulated task by task, so unequal stages and transfers count.
#pragma once

#include <optional>
#include <vector>

#include "hwmodels/units.hpp"
#include "sim/training/pipeline_schedule.hpp"

namespace strata {

// Of one stage and one micro-batch.
struct StageTimes {
    Seconds forward, backward_input, backward_weights;
    // A forward and a whole backward side by side, each under the other's communication. Null: nothing is hidden, and
    // they take as long as one after the other. Of two different stages, the mean of theirs counts.
    std::optional<Seconds> forward_and_backward{};

    Seconds together() const { return forward_and_backward.value_or(forward + backward_input + backward_weights); }
};

// Between the data-parallel ranks that hold a stage, for all its parameters; and the optimiser's update of a rank's
// share. ZeRO (arXiv 1910.02054): stage 1 shards the optimiser's state: gradients are reduced once a step, parameters
// gathered after it. Stage 3 shards the parameters too: they are gathered before each forward and backward, and
// gradients reduced after each micro-batch.
struct Sharding {
    int zero = 1;
    Seconds gather{};     // parameters of a stage
    Seconds reduce{};     // gradients of a stage
    Seconds optimiser{};  // update of a stage
    bool overlaps =
        true;  // communication runs beside computing; the next task's parameters are gathered one task ahead
};

struct TrainingStepSpec {
    PipelineSchedule schedule;
    std::vector<StageTimes> stages;  // one for each, or one for all
    Seconds transfer{};              // of activations or their gradients from a device to the next
    std::optional<Sharding> sharding{};
};

struct TrainingStep {
    Seconds time;
    Seconds pipeline;                   // until the last gradient, without sharding's communication
    std::vector<Seconds> bubble;        // of each device: pipeline time in which it does not compute
    std::vector<int> peak_activations;  // of each device: micro-batches of a stage whose activations it holds
    std::vector<int> stages_held;       // of each device: copies of a stage's parameters
    Seconds longest_bubble() const;
    int most_activations() const;
};

// Throws InputError for as many stage times as there are neither stages nor one.
TrainingStep simulate_step(const TrainingStepSpec& spec);

}  // namespace strata
