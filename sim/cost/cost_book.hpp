// How long one op takes on one accelerator, how sure that is, and how we know. In this order:
//   measured      by this project's own kernels, here (kernels/profiles)
//   published     a row of an imported table (sim/cost/published)
//   interpolated  between rows of such a table, on the device that it was measured on
//   transferred   a table of another device: its residuals over physics, with this device's own physics
//   modelled      physics: a family's share of the datasheet peaks (cost_curves.yaml), fitted on that device; and what
//                 goes on from a table's end
//   assumed       the same with shares that nobody has measured
// Exchanges between ranks are priced the same way: their bytes cross a link instead of the memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hwmodels/specs.hpp"
#include "sim/cost/cost_series.hpp"
#include "sim/cost/cost_table.hpp"
#include "sim/cost/family.hpp"
#include "sim/cost/measured_kernels.hpp"
#include "sim/cost/op_physics.hpp"
#include "sim/model/op.hpp"

namespace strata {

enum class Origin : std::uint8_t { measured, published, interpolated, transferred, modelled, assumed };
std::string_view to_string(Origin origin);

Family family_of(const KernelShape& shape);

// What a kernel asks of a device, whatever the device is.
struct KernelWork {
    Family family = Family::gemm_bf16;
    bool fp8 = false;                // the precision of its products
    Work work{};                     // with the padding of partly filled tiles
    double memory_efficiency = 0;    // of its access pattern, where that is known; 0: the curve's
    std::optional<OpPoint> point{};  // where its family has a table that measured such a kernel
    Bytes spared{};                  // of the point's memory traffic: weights are stored in another format than its
};
KernelWork kernel_work(const KernelShape& shape);

struct Estimate {
    Seconds time{};
    Seconds overhead{};         // of `time`: launch and everything that work does not explain
    bool memory_bound = false;  // moving, not computing, sets the rest
    Origin origin = Origin::modelled;
    Family family = Family::gemm_bf16;
    Seconds low{}, high{};  // the 10th and 90th percentile; both `time` where the spread is not known
    bool outside = false;   // a side is beyond what the table holds
};

// Where an estimate comes from, for people: `strata explain`.
struct Derivation {
    Estimate estimate;
    Physics physics;
    std::optional<CostTable::Residual> residual;
    const CostTable* table = nullptr;
    std::optional<Seconds> measured{};  // by this project's kernel, of exactly this shape
};

Device device_of(const AcceleratorSpec& accelerator);

class CostBook {
public:
    struct Sources {
        std::string curves;          // a file
        std::string profiles{};      // a folder of tables; empty: none
        std::string accelerators{};  // the catalogue's folder: what the tables' devices are
        MeasuredKernels measured{};
        bool without_held_out = false;  // one row in five of every table is put aside, to be judged on
    };
    explicit CostBook(const std::string& curves_file) : CostBook(Sources{.curves = curves_file}) {}
    explicit CostBook(Sources sources);
    // Curves, tables, and records of measurements that the project holds: sim/cost and kernels/profiles under `root`.
    static CostBook of(const std::string& root, bool without_held_out = false);

    // Never below the roofline at datasheet peaks. Throws InputError where the device lacks a needed number.
    Estimate estimate(const KernelWork& kernel, const Device& on) const;
    Estimate estimate(const KernelShape& shape, const Device& on) const { return estimate(kernel_work(shape), on); }
    Estimate estimate(const OpPoint& point, const Device& on) const;
    Derivation explain(const OpPoint& point, const Device& on) const;
    // An exchange in which a rank sends `sent` bytes over a link of that raw bandwidth; the curve's overhead is the
    // time in which nothing crosses the wire.
    Estimate exchange(Family family, Bytes sent, Bandwidth raw, const Device& on) const;

    const CostCurve& curve(Family family) const { return curves_[static_cast<std::size_t>(family)]; }
    const CostTable* table(Family family) const { return tables_[static_cast<std::size_t>(family)].get(); }
    // Profiles that were refused, each with file, line and reason; the rest is loaded.
    const std::vector<std::string>& refused() const { return refused_; }

private:
    Origin origin_of(Family family, const Device& on) const;
    Estimate from_curve(const KernelWork& kernel, const Device& on) const;
    Estimate in_other_bytes(const KernelWork& kernel, const Device& on) const;
    CostSeries::Between series_of(const OpPoint& point, const CostTable& rows) const;
    void load(const Sources& sources);

    std::array<CostCurve, kFamilies> curves_;
    std::array<std::unique_ptr<CostTable>, kFamilies> tables_;
    std::unique_ptr<CostSeriesCache> series_;
    std::vector<std::string> refused_;
    MeasuredKernels measured_;
};

}  // namespace strata
