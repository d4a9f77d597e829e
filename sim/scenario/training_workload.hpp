// What a scenario of kind `training` asks for: a step of so many sequences over a pipeline, and, if it says so, how
// much of a long run is left after failures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hwmodels/yaml_field.hpp"
#include "sim/training/pipeline_schedule.hpp"

namespace strata {

// What is computed again in the backward pass instead of being kept.
enum class Recompute {
    none,
    selective,  // norms, up-projections of MLA and SwiGLU (DeepSeek-V3, arXiv 2412.19437, section 3.2.3), and mHC's
                // mixes (arXiv 2512.24880, section 4.3.2)
    full        // whole layers, exchanges included
};

enum class Optimiser { adamw, muon };

// A source of failures as a scenario states it: parts for each accelerator, whose number the placement gives.
struct FailureRate {
    std::string name;
    double parts_per_accelerator = 1;
    double mtbf_h = 0;
    double weibull_shape = 1;
    bool breaks_node = true;
};

enum class PublishedFailures { none, llama3, rsc1 };

struct CheckpointWorkload {
    Bandwidth bandwidth{};  // of a rank's way to durable storage
    std::optional<Bandwidth> shared_bandwidth{};
    bool staged = false;  // copied to host memory first, written beside the work
    bool daly = true;     // else Young's interval
    std::optional<double> interval_s{};
};

struct FailureWorkload {
    PublishedFailures published = PublishedFailures::none;
    std::vector<FailureRate> sources{};  // if nothing published
    CheckpointWorkload checkpoint;
    double duration_days = 30;
    double detection_s = 0, restart_s = 0, repair_h = 24;
    int spare_nodes = 0;
    bool elastic = false;
    std::uint64_t seed = 0;
};

struct TrainingWorkload {
    int sequences = 1;  // of a step, over all ranks
    int length = 4096;  // tokens of each
    int micro_batch = 1;
    PipelineKind schedule = PipelineKind::one_f_one_b;
    int zero = 1;  // ZeRO's stage: 0 nothing is sharded, 1 the optimiser's state, 3 gradients and parameters too
    Recompute recompute = Recompute::none;
    Optimiser optimiser = Optimiser::adamw;
    bool whole_matrices = true;  // Muon: a matrix is on one rank; else its rows are shared out and gathered
    bool mtp = true;             // the model's multi-token-prediction layers, if it has some
    int nodes_per_token = 0;     // routing limits a token's experts to so many nodes; 0: it does not
    std::optional<FailureWorkload> failures{};

    double tokens() const { return double(sequences) * length; }
};

// The fields of a workload beside its kind that belong to training.
const std::vector<std::string>& training_fields();
TrainingWorkload read_training(const YamlField& workload);

}  // namespace strata
