// What each storage format of each class of tensors would cost and bring: error and loss against the time of the step
// and memory. No Qt.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/gui/models/answer.hpp"

namespace strata {

struct PrecisionOption {
    std::string tensors{}, format{};  // "experts", "nvfp4"
    bool chosen = false;              // as the scenario has it
    std::optional<double> error{};    // rounding noise over the signal, root mean square, in %; none: never measured
    std::optional<double> loss{}, loss_low{}, loss_high{};  // of training, in % of BF16's, of the model as a whole
    std::optional<double> time_ms{};                        // of the step
    double hbm_gb = 0;
    std::string reason{};  // why there is no time
};

struct PrecisionOptions {
    std::string time_label{};  // "TPOT [ms]"
    std::vector<PrecisionOption> options{};
};

// One class changed at a time, the others as they are. Throws InputError for a point that has no step.
PrecisionOptions precision_options(Answerer& answerer, const AnswerRequest& request);

}  // namespace strata
