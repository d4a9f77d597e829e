// The numbers that runs report, by the names that assertions and ledgers use. Each kind of workload has its own.
#pragma once

#include <string>
#include <vector>

namespace strata {

const std::vector<std::string>& metric_names();

}  // namespace strata
