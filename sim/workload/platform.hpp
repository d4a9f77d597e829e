// What a Program needs to know of a platform, read from its description once: building is then arithmetic only.
#pragma once

#include <string>

#include "hwmodels/platform_spec.hpp"
#include "sim/cost/cost_book.hpp"
#include "sim/workload/program.hpp"

namespace strata {

struct Platform {
    Device device;
    Machine machine;
    Seconds host_latency, nvme_latency, scale_up_latency, scale_out_latency;
    Bandwidth scale_up_raw, scale_out_raw;  // what exchange curves are efficiencies of
    double scale_up_domain = 1;
    double launch = 1;  // share of the fixed time of kernels that is left
    double nvme_granularity = 4096;
    // Whether the number is known at all is asked only by the placement that needs it.
    std::string host_missing, nvme_missing, scale_up_missing, scale_out_missing;
};

// Throws InputError for a null number that every placement needs.
Platform platform_of(const PlatformSpec& spec);

}  // namespace strata
