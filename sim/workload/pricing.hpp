// The time of a task on a platform: the one place where what a task asks for meets what a machine can do. A Program is
// priced when it is built, and again whenever only the machine changes.
#pragma once

#include "sim/scenario/scenario.hpp"
#include "sim/workload/platform.hpp"

namespace strata {

struct Price {
    Seconds duration, latency;
    Origin origin = Origin::modelled;
    Seconds overhead{};
    bool memory_bound = false;
    bool outside = false;
    double low = 1, high = 1;  // the 10th and 90th percentile of `duration`, over it; both 1: not known, or exact
};

// DeepSeek-V3, arXiv 2412.19437, section 3.2.2: 20 of 132 SMs exchange in normal mode. Low latency mode needs none.
constexpr double kExchangeCores = 20;
// What the kernels of experts reach on a host's cores, of the peaks. Bandwidth: 110 GB/s of eight DDR4-3200 channels on
// an EPYC of the Rome generation, 146 GB/s of STREAM there (FreeToken issue 444; FP4 experts). Arithmetic: 21.3 TFLOPS
// of 73.7 with AMX on one Xeon 8452Y (KTransformers, doc/en/AMX.md; peak 36 cores x 1,024 FLOP x 2.0 GHz).
constexpr double kHostMemoryEfficiency = 110.0 / 204.8;
constexpr double kHostComputeEfficiency = 21.3 / 73.7;
// Ranks of the node in which exchanges were measured.
constexpr double kMeasuredRanks = 8;

// Throws InputError where the platform lacks a number that the task needs. `ranks` of the placement share a node.
Price price(const Task& task, const Platform& platform, const CostBook& costs, int ranks);

// The same for the tasks of a step: layers of several kinds have ops in common, and all of them the same exchanges, so
// what asks for the same is priced once. What is referred to outlives it.
class KnownPrices {
public:
    KnownPrices(const Platform& platform, const CostBook& costs, int ranks)
        : platform_(platform), costs_(costs), ranks_(ranks) {
        constexpr std::size_t kMost = 128;  // of most steps
        asked_.reserve(kMost);
        prices_.reserve(kMost);
    }
    Price of(const Task& task);

private:
    const Platform& platform_;
    const CostBook& costs_;
    int ranks_;
    std::vector<std::uint64_t> asked_;  // of the tasks beside: their FLOPs and bytes tell most of them apart
    std::vector<std::pair<Task, Price>> prices_;
};

// The platform without the SMs that exchanges in normal mode keep; as it is where its cores are not known.
Platform without_exchange_cores(const Platform& platform);

// The platform as the scenario's kernels find it: exchanges in normal mode keep SMs of their own.
Platform beside_exchanges(const Scenario& scenario, const Platform& platform);

// Time of one micro-batch's chain, fetches hidden.
Seconds turn_of(const Program& program);

}  // namespace strata
