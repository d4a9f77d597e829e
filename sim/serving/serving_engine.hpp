// A scenario of kind `serving`: its placement as a replica, or two placements as pools for prefill and decode, whose
// steps are priced by the analytic engine, then requests through the simulation.
#pragma once

#include "sim/result/run.hpp"
#include "sim/serving/serving.hpp"
#include "sim/serving/step_pricing.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// Tokens of KV that fit beside weights, experts and Engram tables in HBM: those of all sequences of a replica.
double kv_capacity(const Scenario& scenario);

// Throws InputError for replicas or pools that do not fit the system.
void check_serving_fits(const Scenario& scenario);

// Replicas of the scenario's one placement, and what prices their steps and must outlive nothing but `inputs`.
struct PricedReplicas {
    StepPricing pricing;
    ServingSpec spec;
};
PricedReplicas priced_replicas(const Scenario& scenario, Inputs& inputs, const std::vector<Request>& requests);

// A scenario's replicas, whose steps are priced as they are first needed: loads of different rates share the prices.
class ServingDeployment {
public:
    // Throws InputError also for limits that not even a request alone could meet. `inputs` must outlive it.
    ServingDeployment(const Scenario& scenario, Inputs& inputs);

    // The scenario's requests, or the same ones arriving at another mean rate.
    Run run();
    Run run_at(double requests_per_second);
    std::size_t requests() const { return requests_.size(); }

private:
    ServingSpec spec_of() const;

    Scenario scenario_, first_, second_;  // as it is, and for each kind of replica
    std::vector<Request> requests_;
    double kv_tokens_;
    StepPricing pricing_, decode_pricing_;
};

Run run_serving(const Scenario& scenario, Inputs& inputs);

}  // namespace strata
