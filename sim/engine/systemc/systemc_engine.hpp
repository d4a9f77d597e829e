// The Program in simulated time on every rank of a node, or of an expert group where its ranks differ: ranks of a node
// queue for what they share (host memory, drives), a rank's own ops for its host link and its accelerator memory, and
// ranks wait for each other in exchanges. Where nothing queues and all are alike, the result is the analytic engine's.
// One at a time in a process, each in a SystemC context of its own.
#pragma once

#include <vector>

#include "sim/result/run.hpp"
#include "sim/result/step_trace.hpp"
#include "sim/result/trace.hpp"
#include "sim/workload/program.hpp"

namespace strata {

struct Simulation {
    Timeline timeline;                   // of the slowest rank
    std::vector<ResourceUse> resources;  // of that rank's node, by their place in it
    std::vector<TraceTrack> tracks{};    // of its node: what each was busy with, if that was asked for
    std::vector<RankTrace> traces{};     // where asked for: the slowest rank, and the one whose lanes work least
};

// How many ranks have to be simulated: all that differ, or those of a node. The others are alike.
int simulated_ranks(const Program& program, const Machine& machine, const Placement& placement);

// `ranks` run the Program, machine.ranks of them on a node; with Detail::bank host memory is looked at bank by bank.
// Throws InputError if that is asked of a memory whose DRAM standard is not known, std::logic_error if called twice in
// one process. `traced`: parts keep when they are busy.
Simulation run_systemc(const Program& program, const Machine& machine, int ranks, Detail detail = Detail::op,
                       bool traced = false);

}  // namespace strata
