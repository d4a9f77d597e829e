// One point's result: metrics, what bounds it, and where its time comes from.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/result/critical_path.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/workload/program.hpp"

namespace strata {

// A part of the machine over the step.
struct ResourceUse {
    std::string name;  // its place in the machine: "node0.gpu3.hbm"
    double busy = 0;   // share of the step
    Bytes bytes{};     // served; of a link: on its wire
    Seconds queued{};  // waiting for it, summed over chunks
};

// Where the time of a part of the model goes, in ms over the step. Kernels: what binds them; the rest is on its way.
struct ComponentTime {
    double memory = 0, arithmetic = 0, overhead = 0;  // of its kernels
    double exchange = 0;                              // between ranks
    double fetch = 0;                                 // from host memory or drives, hidden or not
    double kernels() const { return memory + arithmetic + overhead; }
};

// What an access was made to, as a report calls it, and where it stands in a sweep.
struct Accessed {
    std::string part, pattern;  // "HBM3E x 6 (H200_SXM)", "random rows"
    double peak_GBps = 0;       // 0: it has none worth the name
    double row_bytes = 0;
    double load = 0;         // offered, over the peak; 0: as fast as it goes
    double outstanding = 0;  // requests in flight; 0: as many as the part holds
    std::string origin = "modelled";
};

struct Run {
    std::string engine;
    std::map<std::string, double> metrics;              // "decode.tpot_ms" and so on, unit in the name
    std::map<std::string, double> share_of_compute;     // by origin, of the compute lane's busy time;
                                                        // "..., outside": beyond what was measured
    std::array<double, kLanes> utilisation{};           // busy time of each lane over the step
    std::string bottleneck;                             // the busiest lane; of compute, what binds most of its time
    std::map<std::string, ComponentTime> components{};  // "attention", "experts", ...
    std::optional<Accessed> accessed{};                 // of a scenario of kind access, which has no step and no lanes
    std::vector<ResourceUse> resources{};               // of every part (systemc), or of any rank and node (analytic)
    std::map<std::string, std::string> absent{};        // metrics that need a number nobody has published: which one
    std::optional<CriticalPath> path{};                 // of a step: what its length is made of, and how sure that is
};

// What reports call the part of the model: "mhc", "attention", ...
std::string component_of(Slot slot);

// Of the time of computing, on accelerator and host, by the origin of each task's time.
std::map<std::string, double> shares_of_compute(const Program& program);

// How much longer the busiest ranks compute their experts than the mean rank.
Seconds straggling(const Program& program);

// Which parts of a Run are made: a sweep of a million points asks for few metrics, and for nothing else.
struct RunParts {
    bool memory = true, economics = true, quality = true;  // groups of metrics; the others are always there
    bool layers = true;                                    // metrics for which every task is looked at once more
    bool details = true;                                   // all that is no metric

    static RunParts of(const std::vector<std::string>& metrics);  // those that these are in
};

// `machine.ranks` x program must be what `timeline` was made from.
Run summarise(const Scenario& scenario, const Machine& machine, const Program& program, const Timeline& timeline,
              const std::string& engine, const RunParts& parts = {});

}  // namespace strata
