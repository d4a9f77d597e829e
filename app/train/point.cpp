#include "app/train/point.hpp"

#include <fmt/format.h>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

const std::vector<double> kRhos{1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4};
constexpr double kComparedAt = 0.8;  // residual kinds and optimisers

template <class Kind>
Kind kind_named(const std::string& what, const std::string& name, const std::vector<Kind>& kinds) {
    std::vector<std::string> known;
    for (const Kind kind : kinds) {
        if (to_string(kind) == name) return kind;
        known.emplace_back(to_string(kind));
    }
    throw InputError(what, fmt::format("one of {}", fmt::join(known, ", ")), fmt::format("'{}'", name));
}

std::vector<std::string> or_else(const std::vector<std::string>& given, std::vector<std::string> otherwise) {
    return given.empty() ? std::move(otherwise) : given;
}

std::vector<TrainingPoint> combined(const StudyDials& dials) {
    std::vector<TrainingPoint> points;
    for (const std::uint64_t seed : dials.seeds)
        for (const std::string& budget : or_else(dials.budgets, {"small", "large"}))
            for (const std::string& residual : or_else(dials.residuals, {"plain"}))
                for (const std::string& optimiser : or_else(dials.optimisers, {"adamw"}))
                    for (const double rho : dials.rhos.empty() ? kRhos : dials.rhos)
                        points.push_back(
                            {.budget = budget_named(budget),
                             .rho = rho,
                             .residual = kind_named<ResidualKind>(
                                 "residual", residual, {ResidualKind::plain, ResidualKind::hc, ResidualKind::mhc}),
                             .optimiser = kind_named<OptimiserKind>("optimiser", optimiser,
                                                                    {OptimiserKind::adamw, OptimiserKind::muon}),
                             .seed = seed});
    return points;
}

}  // namespace

std::string_view to_string(OptimiserKind kind) { return kind == OptimiserKind::adamw ? "adamw" : "muon"; }

std::string TrainingPoint::key() const {
    return fmt::format("{},{},{},{},{},{}", budget.name, rho, to_string(residual), to_string(optimiser), seed,
                       budget.steps);
}

double TrainingPoint::training_flops() const {
    const double tokens = 1.0 * budget.steps * budget.sequences * budget.length;
    return tokens * shape_of(budget, rho, residual).training_flops_per_token();
}

std::vector<Budget> shipped_budgets() {
    return {{.name = "small",
             .hidden = 64,
             .heads = 2,
             .layers = 2,
             .expert_width = 16,
             .shared_width = 32,
             .idle_experts = 40,
             .row_width = 4,
             .sequences = 16,
             .length = 64,
             .steps = 300,
             .rate = 4e-3},
            {.name = "large",
             .hidden = 96,
             .heads = 3,
             .layers = 2,
             .expert_width = 24,
             .shared_width = 48,
             .idle_experts = 40,
             .row_width = 6,
             .sequences = 16,
             .length = 64,
             .steps = 450,
             .rate = 4e-3},
            {.name = "smoke",
             .hidden = 32,
             .heads = 2,
             .layers = 2,
             .expert_width = 16,
             .shared_width = 16,
             .idle_experts = 20,
             .row_width = 4,
             .sequences = 8,
             .length = 64,
             .steps = 40,
             .rate = 4e-3}};
}

Budget budget_named(const std::string& name) {
    std::vector<std::string> known;
    for (const Budget& budget : shipped_budgets()) {
        if (budget.name == name) return budget;
        known.push_back(budget.name);
    }
    throw InputError("budget", fmt::format("one of {}", fmt::join(known, ", ")), fmt::format("'{}'", name));
}

std::vector<TrainingPoint> study_points(const StudyDials& dials) {
    std::vector<TrainingPoint> points = combined(dials);
    const bool whole =
        dials.budgets.empty() && dials.residuals.empty() && dials.optimisers.empty() && dials.rhos.empty();
    if (!whole) return points;
    StudyDials other{.budgets = {"small"}, .residuals = {"hc", "mhc"}, .optimisers = {}, .rhos = {kComparedAt}};
    other.seeds = dials.seeds;
    for (const TrainingPoint& point : combined(other)) points.push_back(point);
    other.residuals = {"plain"};
    other.optimisers = {"muon"};
    for (const TrainingPoint& point : combined(other)) points.push_back(point);
    return points;
}

}  // namespace strata
