// One Program on many machines: structure, shapes and bytes stay, every time is priced anew, so that a slider over a
// hardware number costs microseconds. Not for what changes the Program itself: the size of the scale-up domain, the
// page size of drives.
#pragma once

#include <functional>

#include "sim/workload/platform.hpp"
#include "sim/workload/pricing.hpp"

namespace strata {

class HardwareSweep {
public:
    // `ranks` of the placement; `program` as built for some platform.
    HardwareSweep(const Program& program, const CostBook& costs, int ranks);

    // The time of the step on `platform`, exactly that of the analytic engine for a Program built there. Where the
    // scenario's exchanges keep SMs of their own, give the platform as `beside_exchanges` leaves it.
    Seconds makespan(const Platform& platform);
    // The same with the time of each kind of task multiplied by what `factor` says of it: errors of the cost book.
    Seconds makespan(const Platform& platform, const std::function<double(const Task& kind, const Price&)>& factor);

private:
    // Kernels that simply follow one another, or one other task.
    struct Step {
        std::uint32_t run;         // index in runs_
        std::uint32_t first, end;  // of its predecessors
        std::uint32_t lane;
    };

    const CostBook& costs_;
    int ranks_, turns_waited_;
    std::vector<Task> kinds_;                       // tasks that ask for the same, once
    std::vector<double> turn_of_kind_;              // how many of a kind one micro-batch's chain has
    std::vector<std::vector<std::uint32_t>> runs_;  // kinds of a step; most layers have the same
    std::vector<Step> steps_;
    std::vector<std::uint32_t> before_;
    std::vector<Seconds> duration_, occupied_;          // by kind
    std::vector<Seconds> run_duration_, run_occupied_;  // by run
    std::vector<Seconds> end_;                          // by step
};

}  // namespace strata
