// Model + workload + placement + platform -> the Program of one step and the Machine that runs it.
#pragma once

#include "hwmodels/platform_spec.hpp"
#include "sim/cost/cost_book.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/workload/program.hpp"

namespace strata {

// What a Program needs to know of the platform, read from the catalogue once: building is then arithmetic only.
struct Platform {
    Device device;
    Machine machine;
    Seconds host_latency, nvme_latency, scale_up_latency, scale_out_latency;
    Bandwidth scale_up_raw, scale_out_raw;  // what exchange curves are efficiencies of
    double scale_up_domain = 1;
    double nvme_granularity = 4096;
    // Whether the number is known at all is asked only by the placement that needs it.
    std::string host_missing, nvme_missing, scale_up_missing, scale_out_missing;
};

// Throws InputError for a null number that every placement needs.
Platform platform_of(const PlatformSpec& spec, const CostBook& costs);

Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs);

// The share of look-ups that the `cached` most popular of `rows` rows answer, under a Zipf law of exponent s >= 0
// (popularity of rank i proportional to i^-s). The sums are replaced by integrals from 1/2, exact within 1 % beyond
// 100 rows.
double zipf_hit_rate(double cached, double rows, double s);

}  // namespace strata
