// How much of each part of the machine a step uses, by the analytic engine: one rank and its node stand for all, which
// are alike. Busy is the time that the bytes or FLOPs would take at the part's own rate, over the step.
#pragma once

#include "sim/result/run.hpp"

namespace strata {

std::vector<ResourceUse> resources_of(const Scenario& scenario, const Machine& machine, const Program& program,
                                      const Timeline& timeline);

}  // namespace strata
