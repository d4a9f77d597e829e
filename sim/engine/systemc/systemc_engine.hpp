// The Program on one node in simulated time, every rank of it: ranks queue for what they share (host memory, drives),
// a rank's own ops for its host link and its accelerator memory. Where nothing queues, the result is the analytic
// engine's. SystemC elaborates once a process, so one call a process: strata-simulate forks for each point.
#pragma once

#include <vector>

#include "sim/result/run.hpp"
#include "sim/workload/program.hpp"

namespace strata {

struct Simulation {
    Timeline timeline;                   // of the slowest rank
    std::vector<ResourceUse> resources;  // of the node, by their place in it
};

// `ranks` of the node run the Program; with Detail::bank host memory is looked at bank by bank. Throws InputError if
// that is asked of a memory whose DRAM standard is not known, std::logic_error if called twice in one process.
Simulation run_systemc(const Program& program, const Machine& machine, int ranks, Detail detail = Detail::op);

}  // namespace strata
