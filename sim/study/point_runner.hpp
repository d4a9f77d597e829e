// One point through the engine of its kind that lives in this process. Not for two threads at once: each has its own,
// with a share in one cost book.
#pragma once

#include <memory>

#include "sim/access/access_bench.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/inputs.hpp"

namespace strata {

// Puts in a scenario what it asks for the largest of: the batch of a step, the rate or the concurrency of serving.
// Throws InputError if there is none.
void settle(Scenario& scenario, Inputs& inputs);

bool is_settled(const Scenario& scenario);  // there is no such thing

class PointRunner {
public:
    explicit PointRunner(const std::string& root) : inputs_(root), bench_(inputs_.catalog()) {}
    PointRunner(const std::string& root, std::shared_ptr<const CostBook> costs)
        : inputs_(root, std::move(costs)), bench_(inputs_.catalog()) {}
    PointRunner(const PointRunner&) = delete;

    const Catalog& catalog() const { return inputs_.catalog(); }
    // The same for every engine; says why if there is none.
    std::string settle(Scenario& scenario);
    // Throws InputError for a point that does not fit.
    Run run(const Scenario& scenario, const RunParts& parts = {});

private:
    Inputs inputs_;
    AccessBench bench_;
};

}  // namespace strata
