// What a run costs and draws: money of rented or bought accelerators, energy of boards and nodes. docs/economics.md
// defines each metric. One that needs a number which nobody has published is absent, and the run says which.
#pragma once

#include "sim/result/run.hpp"

namespace strata {

// What one accelerator does, mean over the run.
struct Spending {
    double accelerators = 0;
    double tokens_per_s = 0;      // that are sold: output in decode and serving, input in prefill
    double all_tokens_per_s = 0;  // serving: input too
    double busy = 0;              // share of the time in which kernels run
    double memory_w = 0;          // of memory and links at published energies of a bit, for what they move
    double most_memory_w = 0;     // the same, if they moved as much as they can
};

// `step` from one step to the next, waits between them included.
Spending spending_of(const Scenario& scenario, const Machine& machine, const Program& program, const Timeline& timeline,
                     Seconds step);

void add_economics(Run& run, const Scenario& scenario, const Spending& spending);

// Power of an accelerator: idle, and what it does. Throws InputError where the board's power is not published.
//   P = idle + memory and links + (board - idle - memory and links at most) * busy
// so that a board at all its limits draws its power and an idle one idles. Where idle is not published waiting is
// counted as work, an upper bound.
double power_of(const AcceleratorSpec& part, const Spending& spending);

}  // namespace strata
