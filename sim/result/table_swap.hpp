// Engram tables that change with the domain of what is asked.
#pragma once

#include <optional>

#include "sim/scenario/scenario.hpp"
#include "sim/workload/program.hpp"

namespace strata {

// One table for another.
struct TableSwap {
    Seconds copy;    // all ranks of a node at once, by the slowest part of the way
    Seconds waited;  // in which nothing is answered
    double a_step;   // swaps for each step
};

// What swapping costs where a step takes `step`; none where all tables of a placement's domains lie where they are
// used. Throws InputError where the tier that the tables wait in is not on the platform.
std::optional<TableSwap> table_swap(const Scenario& scenario, const Machine& machine, Seconds step);

}  // namespace strata
