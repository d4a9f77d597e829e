// How long an op should take on a device by what is known of both: launch, then the slowest of computing, moving and
// sending, each at its family's share of the datasheet peak; a matrix product computes whole tiles in whole waves over
// the device's cores. What a table measured differs from this by a residual, which the cost book carries from shape to
// shape and from device to device.
#pragma once

#include <algorithm>
#include <string>

#include "sim/cost/device.hpp"
#include "sim/cost/op_point.hpp"

namespace strata {

struct CostCurve {
    Seconds overhead;
    double clock_hz = 0;                     // of the device that was measured; 0: unknown
    double compute_efficiency = 1;           // of the dense peak at the op's precision
    double memory_efficiency = 1;            // of the datasheet bandwidth, or of the link's
    Seconds wave{};                          // products: from a wave of tiles to the next
    double operand_ratio = 0;                // products: FLOPs a byte below which a tile waits for operands; 0: never
    double elements_per_us = 0;              // that one core looks at by plain instructions; 0: no limit
    double median_error = 0, p90_error = 0;  // relative, over measured rows that the fit never saw
    int rows = 0;                            // fitted; 0: nothing was measured, the curve is assumed
    std::string device{};                    // that was measured
    std::string source{};
};

// overhead + the slower of computing and moving, with the curve's efficiencies.
Seconds roofline(const Work& work, FlopRate peak, Bandwidth memory, const CostCurve& curve);

struct Physics {
    Seconds launch, computing, moving, sending;
    double tile_rows = 0, tile_columns = 0, waves = 0;  // of a matrix product
    bool needs_cores = false;                           // to be known, or a term is missing
    Seconds bound;                                      // at datasheet peaks: nothing is faster

    Seconds time() const { return launch + std::max({computing, moving, sending}); }
};

// At datasheet peaks: nothing is faster.
Seconds bound_of(const OpPoint& point, const Device& on);

// Throws InputError where the device lacks a peak that the op needs.
Physics physics_of(const OpPoint& point, const CostCurve& curve, const Device& on);

}  // namespace strata
