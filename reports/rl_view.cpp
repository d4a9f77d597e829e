#include "reports/rl_view.hpp"

#include "reports/study_view.hpp"

namespace strata {

bool is_rl(const Study& study) { return some_has(study, "rl.iteration_s"); }

const std::vector<AccessColumn>& rl_columns() {
    static const std::vector<AccessColumn> columns{{"rl.iteration_s", "iteration [s]", 1, 1},
                                                   {"rl.rollout_s", "rollout [s]", 1, 1},
                                                   {"rl.tail_s", "its tail [s]", 1, 1},
                                                   {"rl.update_s", "update [s]", 1, 1},
                                                   {"rl.sync_s", "weights [s]", 1, 2},
                                                   {"rl.answers_per_s", "answers/s", 1, 2},
                                                   {"rl.tokens_per_s_per_accelerator", "tokens/s/accel.", 1, 1},
                                                   {"rl.rollout_utilisation", "servers busy [%]", 100, 1}};
    return columns;
}

const std::vector<StackedPart>& iteration_parts() {
    static const std::vector<StackedPart> parts{{"rl.rollout_s", "rollout"},
                                                {"rl.judging_s", "judging"},
                                                {"rl.reading_s", "reading"},
                                                {"rl.update_s", "update"},
                                                {"rl.sync_s", "weights to servers"}};
    return parts;
}

}  // namespace strata
