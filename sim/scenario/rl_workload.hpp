// What a scenario of kind `rl` asks for: an iteration of reinforcement learning (GRPO) or of distillation by a teacher
// that reads what the student has written. Its placement is a replica of the servers that roll answers out; the update
// has a placement of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hwmodels/yaml_field.hpp"
#include "sim/scenario/serving_workload.hpp"
#include "sim/scenario/training_workload.hpp"
#include "sim/training/rl_iteration.hpp"

namespace strata {

struct Placement;

struct RlWorkload {
    int prompts = 1;
    int answers = 1;  // of each prompt
    ServingWorkload rollout;
    Seconds judging{};
    int judges = 1;
    bool judge_as_they_end = true;
    std::vector<ReadingPass> readers{};
    TrainingWorkload update;  // its sequences are those that were rolled out
    std::shared_ptr<const Placement> update_placement{};
    std::optional<Bandwidth> sync{};  // else the links of the ranks that have or want the weights
    bool rolls_out_ahead = false;
};

// The fields of a workload beside its kind that belong to RL.
const std::vector<std::string>& rl_fields();
RlWorkload read_rl(const YamlField& workload, const std::string& file);

}  // namespace strata
