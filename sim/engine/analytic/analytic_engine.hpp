// Critical path over resources: each task starts when what it waits for is done and its lane is free. Contention
// between ranks is not modelled; that is the systemc engine's finding.
#pragma once

#include "sim/workload/program.hpp"

namespace strata {

Timeline run_analytic(const Program& program);

}  // namespace strata
