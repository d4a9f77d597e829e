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
};

// DeepSeek-V3, arXiv 2412.19437, section 3.2.2: 20 of 132 SMs exchange in normal mode. Low latency mode needs none.
constexpr double kExchangeCores = 20;
// Ranks of the node in which exchanges were measured.
constexpr double kMeasuredRanks = 8;

// Throws InputError where the platform lacks a number that the task needs. `ranks` of the placement share a node.
Price price(const Task& task, const Platform& platform, const CostBook& costs, int ranks);

// The platform without the SMs that exchanges in normal mode keep; as it is where its cores are not known.
Platform without_exchange_cores(const Platform& platform);

// The platform as the scenario's kernels find it: exchanges in normal mode keep SMs of their own.
Platform beside_exchanges(const Scenario& scenario, const Platform& platform);

// Time of one micro-batch's chain, fetches hidden.
Seconds turn_of(const Program& program);

}  // namespace strata
