// What the ranks of a stage send each other, as tasks that are not priced yet: tokens to the ranks of their experts and
// results back, and sums over tensor ranks.
#pragma once

#include <optional>

#include "kernels/collective/collective.hpp"
#include "sim/workload/build_program.hpp"

namespace strata {

// A task that is an op's.
Task named(const Op& op, std::string_view name, Lane lane, Pricing pricing);

class ExchangeTasks {
public:
    // `tokens` of this rank. What is referred to outlives it.
    ExchangeTasks(const Scenario& scenario, const Platform& platform, double tokens, const ProgramInputs& more)
        : scenario_(scenario),
          placement_(scenario.placement),
          platform_(platform),
          shares_(more.shares),
          fabric_(more.fabric),
          nodes_per_token_(more.nodes_per_token),
          tokens_(tokens) {}

    // Nothing where no other rank has experts.
    std::optional<Task> experts(const Op& op, bool dispatch) const;
    // How much longer wires are busy with it than if tokens spread evenly: all wait for the rank that receives most of
    // a dispatch or sends most of a combine; on a fabric, for the link with most to carry.
    double stretch(const Task& exchange, int layer, bool dispatch) const;
    // Of a rank's share, what such an exchange moves.
    double RankShare::*moved_by(const Task& exchange) const;
    // Of the partial sums that tensor ranks hold, of which there must be several.
    Task all_reduce(const Op& op) const;

private:
    TokenRoute route(bool dispatch) const;
    bool once() const { return scenario_.workload.prefill; }  // in normal mode; else every copy goes its own way
    double distinct(double places, double sampled) const;

    const Scenario& scenario_;
    const Placement& placement_;
    const Platform& platform_;
    const RankShares* shares_;
    FabricCosts* fabric_;
    int nodes_per_token_;
    double tokens_;
};

}  // namespace strata
