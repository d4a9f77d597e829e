// Failure rates that others measured, to predict other clusters with. Nothing here is fitted.
#pragma once

#include <vector>

#include "sim/failure/failure_process.hpp"

namespace strata {

// Llama 3 405B on 16,384 H100s, 54 days: 419 unexpected interruptions by cause (Llama 3 report, arXiv 2407.21783, table
// 5, as quoted at glennklockwood.com/garden/component-reliability). Each cause as a rate of an accelerator, so it can
// be carried over to another number of them; assumed: also what hangs on hosts and switches grows with accelerators.
std::vector<FailureSource> llama3_failures(double accelerators);

// Meta's RSC-1, A100s, 11 months: 6.50 failures in 1000 days of a node of 8 (arXiv 2410.21680).
std::vector<FailureSource> rsc1_failures(double accelerators);

}  // namespace strata
