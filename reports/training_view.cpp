#include "reports/training_view.hpp"

#include "reports/study_view.hpp"

namespace strata {

bool is_training(const Study& study) { return some_has(study, "training.step_s"); }

std::vector<AccessColumn> training_columns(const Study& study) {
    std::vector<AccessColumn> columns{{"training.step_s", "step [s]", 1, 3},
                                      {"training.tokens_per_day", "G tokens/day", 1e-9, 1},
                                      {"training.mfu", "MFU [%]", 100, 1},
                                      {"training.mfu_causal", "causal [%]", 100, 1},
                                      {"training.bubble_share", "bubble [%]", 100, 1},
                                      {"training.exposed_communication_share", "exposed comm. [%]", 100, 1},
                                      {"training.update_s", "update [s]", 1, 3},
                                      {"memory.hbm_gb", "HBM [GB]", 1, 1},
                                      {"memory.activations_gb", "activations [GB]", 1, 1}};
    if (some_has(study, "moe.load_max_over_mean")) {
        columns.push_back({"moe.load_max_over_mean", "busiest rank / mean", 1, 2});
        columns.push_back({"moe.straggler_ms", "longer than the mean rank [ms]", 1, 0});
    }
    if (some_has(study, "goodput.effective_share")) {
        columns.push_back({"goodput.effective_share", "goodput [%]", 100, 1});
        columns.push_back({"goodput.mtbf_h", "MTBF [h]", 1, 2});
        columns.push_back({"goodput.interruptions", "interruptions", 1, 0});
    }
    return columns;
}

const std::vector<StackedPart>& step_parts() {
    static const std::vector<StackedPart> parts{{"training.forward_s", "forward"},
                                                {"training.backward_s", "backward"},
                                                {"training.weight_gradients_s", "weight gradients"},
                                                {"training.forward_and_backward_s", "forward and backward"},
                                                {"training.bubble_s", "bubble"},
                                                {"training.update_s", "update"}};
    return parts;
}

const std::vector<StackedPart>& memory_parts() {
    static const std::vector<StackedPart> parts{
        {"memory.weights_gb", "weights"},     {"memory.gradients_gb", "gradients"},
        {"memory.optimiser_gb", "optimiser"}, {"memory.activations_gb", "activations"},
        {"memory.engram_gb", "Engram"},       {"memory.buffers_gb", "buffers"}};
    return parts;
}

const std::vector<StackedPart>& run_parts() {
    static const std::vector<StackedPart> parts{{"goodput.effective_share", "useful", 100},
                                                {"goodput.lost_share", "done again", 100},
                                                {"goodput.checkpoint_share", "checkpoints", 100},
                                                {"goodput.restart_share", "detection and restart", 100},
                                                {"goodput.waiting_share", "waiting for repairs", 100}};
    return parts;
}

}  // namespace strata
