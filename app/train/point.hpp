// One point of the study: which network is trained how, and what came of it. Nothing here needs libtorch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/train/shape.hpp"

namespace strata {

enum class OptimiserKind { adamw, muon };
std::string_view to_string(OptimiserKind kind);

struct TrainingPoint {
    Budget budget;
    double rho = 1;  // the experts' share of the sparse parameters
    ResidualKind residual = ResidualKind::plain;
    OptimiserKind optimiser = OptimiserKind::adamw;
    std::uint64_t seed = 1;  // of the first weights and of the text

    // "small,0.8,plain,adamw,1,400": what makes a point this one and no other; the first columns of its row.
    std::string key() const;
    double training_flops() const;
};

struct CurvePoint {
    int step = 0;
    double loss = 0;        // of training, the mean since the point before [nats/byte]
    double worst_load = 0;  // the fullest expert against the mean, of the worst layer, at this step
};

struct Trained {
    double loss = 0;                      // of unseen text [nats/byte]
    double standard_error = 0;            // of it, over the sequences of that text
    double fact_loss = 0, rule_loss = 0;  // of the bytes that this book determines
    double worst_load = 0;                // mean over the last tenth of the steps
    double cpu_seconds = 0;
    std::vector<CurvePoint> curve{};
};

// Calls back after each step, with its number from 1.
using Trainer = std::function<Trained(const TrainingPoint&, const std::function<void(int)>& after_step)>;

// The smaller and the larger budget: about three times the FLOPs, as the paper's two; "smoke": seconds.
std::vector<Budget> shipped_budgets();
Budget budget_named(const std::string& name);  // throws InputError

// Of the dials that are given all combinations; without any the study itself: seven rho at two budgets, then residual
// kinds and Muon at one of them.
struct StudyDials {
    std::vector<std::string> budgets{}, residuals{}, optimisers{};
    std::vector<double> rhos{};
    std::vector<std::uint64_t> seeds{1};
};
std::vector<TrainingPoint> study_points(const StudyDials& dials);

}  // namespace strata
