// What the steps of a replica take: its placement's decode and prefill steps by the analytic engine, and with
// multi-token prediction what drafting and verifying cost beside.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "sim/scenario/scenario.hpp"
#include "sim/serving/priced_steps.hpp"
#include "sim/serving/step_times.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// The largest shapes that are asked for.
struct StepLimits {
    double batch = 1;         // sequences of a decode step
    double step_tokens = 1;   // of prompts in a step
    double context = 1;       // tokens of a sequence
    double kv_tokens = 1e15;  // of all sequences: shapes that need more never run
};

class StepPricing {
public:
    // Prices steps of `scenario`, whose placement is the replica. `drafts`: tokens that each decode step verifies
    // beside its own. Throws InputError when asked for a point that does not fit its platform, needs a number that
    // nobody has published, or drafts without a layer for it. `inputs` must outlive it.
    StepPricing(const Scenario& scenario, Inputs& inputs, const StepLimits& limits, int drafts);

    StepTimes times() const;
    // The least that a decode step and a prompt alone take, not counted as taken.
    Seconds decode_alone(double context) const;
    Seconds prefill_alone(double tokens) const;
    void add_time_by_origin(std::map<std::string, double>& seconds) const;
    void add_balance(BalanceOfSteps& sum) const;

    // Steps of a routing source whose loads a replica's steps take, one or another as a hash of their number says: from
    // the placement's age on, as many as there are in a record. assumed: 4, because a step's load is a mean over dozens
    // of layers, each with loads of its own, and varies little.
    static constexpr std::int64_t kDraws = 4;

private:
    // With the loads of one draw.
    struct Grids {
        PricedSteps decode;   // sequences x mean context
        PricedSteps prefill;  // tokens x tokens that each attends to, on average
    };
    struct Draws {
        std::vector<Grids> all;
        std::size_t now = 0;
    };

    double least_;  // sequences: one on every rank that has some of its own
    std::uint64_t seed_;
    std::shared_ptr<Draws> draws_;
};

// A step computes at least one sequence on every rank that has sequences of its own.
inline double least_batch(const Scenario& scenario) { return scenario.placement.dp * scenario.placement.batches(); }

}  // namespace strata
