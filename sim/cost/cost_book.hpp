// How long one op takes on one accelerator, and how we know: as this project has measured it there, or between two
// shapes that it has; else a roofline at measured efficiency,
//   time = overhead + max(flops / (compute_efficiency * peak), bytes / (memory_efficiency * bandwidth))
// with three coefficients per family of ops, fitted on published measurements (cost_curves.yaml says which rows, and
// how far off the fit is on rows it never saw). Other accelerators get the same efficiencies of their own peaks.
// Exchanges between ranks are priced the same way: their bytes cross a link instead of the memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "hwmodels/specs.hpp"
#include "sim/cost/family.hpp"
#include "sim/cost/measured_kernels.hpp"
#include "sim/model/op.hpp"

namespace strata {

enum class Origin : std::uint8_t { measured, published, interpolated, transferred, modelled, assumed };
std::string_view to_string(Origin origin);

Family family_of(const KernelShape& shape);

struct CostCurve {
    Seconds overhead;
    double compute_efficiency = 1;           // of the dense peak at the op's precision
    double memory_efficiency = 1;            // of the datasheet bandwidth
    double median_error = 0, p90_error = 0;  // relative, over measured rows that the fit never saw
    int rows = 0;                            // fitted; 0: nothing was measured, the curve is assumed
    std::string device{};                    // that was measured
    std::string source{};
};

// What a kernel asks of a device, whatever the device is.
struct KernelWork {
    Family family = Family::gemm_bf16;
    bool fp8 = false;              // the precision of its products
    Work work;                     // with the padding of partly filled tiles
    double memory_efficiency = 0;  // of its access pattern, where that is known; 0: the curve's
};
KernelWork kernel_work(const KernelShape& shape);

struct Estimate {
    Seconds time;
    Seconds overhead;           // of `time`: launch and everything that work does not explain
    bool memory_bound = false;  // moving, not computing, sets the rest
    Origin origin = Origin::modelled;
    Family family = Family::gemm_bf16;
};

// The numbers of an accelerator that costs need, looked up once. A peak that is null is kept as its error message and
// thrown only by an op that needs it.
struct Device {
    FlopRate bf16, fp8;
    Bandwidth memory;
    double cores = 0;                           // SMs; 0: unknown
    std::array<bool, kFamilies> fitted_here{};  // by family: its curve comes from this very accelerator
    std::string bf16_missing, fp8_missing;
    std::string cuda_name;  // by which records of measurements know it; empty where a scenario has changed its numbers
};

// overhead + the slower of computing and moving, with the curve's efficiencies.
Seconds roofline(const Work& work, FlopRate peak, Bandwidth memory, const CostCurve& curve);

class CostBook {
public:
    explicit CostBook(const std::string& curves_file, MeasuredKernels measured = {});
    // Curves, and records of measurements that the project holds: sim/cost and kernels/profiles under `root`.
    static CostBook of(const std::string& root);
    Device device_of(const AcceleratorSpec& accelerator) const;
    // Never below the roofline at datasheet peaks. Throws InputError where the device lacks a needed number.
    Estimate estimate(const KernelWork& kernel, const Device& on) const;
    Estimate estimate(const KernelShape& shape, const Device& on) const { return estimate(kernel_work(shape), on); }
    // An exchange in which a rank sends `sent` bytes over a link of that raw bandwidth; the curve's overhead is the
    // time in which nothing crosses the wire.
    Estimate exchange(Family family, Bytes sent, Bandwidth raw, const Device& on) const;
    const CostCurve& curve(Family family) const { return curves_[static_cast<std::size_t>(family)]; }

private:
    Origin origin_of(Family family, const Device& on) const;

    std::array<CostCurve, kFamilies> curves_;
    MeasuredKernels measured_;
};

}  // namespace strata
