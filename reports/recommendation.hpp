// Which point to build, by a rule that a reader can check: among the points that fit, ran and hold the scenario's
// assertions, and whose expected loss is within kLossMargin of the lowest, the one with the highest throughput of an
// accelerator by the most detailed engine that ran. If rho is not swept, loss does not enter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/quality/allocation_law.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/search/ranking.hpp"
#include "sim/study/study.hpp"

namespace strata {

constexpr double kLossMargin = 0.002;  // nats; about a seventh of what the published optimum gains over a pure MoE

struct Recommendation {
    const PointResult* point = nullptr;        // into the study; null if no point is eligible
    const PointResult* lowest_loss = nullptr;  // the fastest among those of lowest loss; null without losses
    std::string engine;
    std::size_t eligible = 0;                   // points that the winner was chosen from
    std::vector<const PointResult*> choices{};  // those points
    bool by_loss = false;
    std::string rule;
    const PointResult* runner_up = nullptr;  // the next fastest of the choices; null if there is no other
    std::optional<Certainty> certainty{};    // that the point is ahead of it; nothing where no error is known
};

// A result's expected loss: nothing unless rho is swept and lies where the law knows something.
std::optional<LossEstimate> loss_of(const PointResult& result, const AllocationLaw& law, const std::string& model);

// Of steps alone: studies of other kinds have no point here.
Recommendation recommend(const Study& study, const std::vector<Assertion>& assertions, const AllocationLaw& law,
                         const std::string& model);

// "First ahead of second (rho 0.6, tier host) with probability 0.87 ..." and what would settle it; empty without a
// second.
std::string certainty_text(const Recommendation& recommendation, const Study& study);
// The same of any two points: `second` is what the other is called, `lead` by how much the first is ahead.
std::string certainty_text(const std::string& second, double lead, const std::optional<Certainty>& certainty);

// "Recommended: rho 0.65, tier host" with what it gives, on a second line the rule, on a third how sure it is.
std::string recommended_text(const Recommendation& recommendation, const Study& study, const AllocationLaw& law,
                             const std::string& model);

}  // namespace strata
