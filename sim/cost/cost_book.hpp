// How long one op takes on one accelerator, and how we know. In this first form: a roofline at measured efficiency,
//   time = overhead + max(flops / (compute_efficiency * peak), bytes / (memory_efficiency * bandwidth))
// with coefficients per op family fitted on published H200 measurements (see cost_curves.yaml for which, and how well
// they fit). On other accelerators the same efficiencies are applied to their own peaks: `transferred`.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "hwmodels/specs.hpp"
#include "sim/model/op.hpp"

namespace strata {

enum class Origin { measured, published, interpolated, transferred, modelled, assumed };
std::string_view to_string(Origin origin);

struct Estimate {
    Seconds time;
    Origin origin = Origin::modelled;
    std::string_view family;  // which curve; its fit error is in CostBook::curve(family)
};

struct CostCurve {
    Seconds overhead;
    double compute_efficiency = 0;  // of the dense peak at the op's precision
    double memory_efficiency = 0;   // of the datasheet bandwidth
    double median_error = 0;        // relative, over the rows fitted
    double p90_error = 0;
    int rows = 0;  // 0: nothing was measured, the curve is assumed
    std::string source;
};

class CostBook {
public:
    explicit CostBook(const std::string& curves_file);
    // Never below the roofline at datasheet peaks. Throws InputError where the accelerator lacks a needed number.
    Estimate estimate(const KernelShape& shape, const AcceleratorSpec& on) const;
    const std::map<std::string, CostCurve, std::less<>>& curves() const { return curves_; }

private:
    std::map<std::string, CostCurve, std::less<>> curves_;
    std::string measured_on_;
};

}  // namespace strata
