#include "sim/workload/row_efficiency.hpp"

#include <algorithm>
#include <cmath>

#include "hwmodels/dram/kept_profile.hpp"

namespace strata {

double RowEfficiency::of(Bytes row) const {
    const Bytes whole(std::max(1.0, std::ceil(row.si())));
    const Bytes asked = std::min(whole, kStream);
    const auto known = known_.find(asked);
    if (known != known_.end()) return known->second;
    const AccessPattern pattern = asked < kStream ? AccessPattern{.kind = AccessKind::random_rows, .row = asked}
                                                  : AccessPattern{.kind = AccessKind::stream};
    return known_[asked] = kept_profile(spec(), units_, pattern).efficiency;
}

const DramSpec& RowEfficiency::spec() const {
    if (!spec_) spec_ = std::make_unique<DramSpec>(read_dram_spec(file_).at_peak(peak_));
    return *spec_;
}

std::shared_ptr<const RowEfficiency> accelerator_rows(const PlatformSpec& platform) {
    const AcceleratorSpec& part = platform.accelerator;
    if (platform.accelerator_dram.empty() || !part.memory_units.value || !part.memory_bandwidth.value) return nullptr;
    const int units = static_cast<int>(*part.memory_units.value);
    return std::make_shared<RowEfficiency>(platform.accelerator_dram, units, *part.memory_bandwidth.value / units);
}

std::shared_ptr<const RowEfficiency> host_rows(const PlatformSpec& platform) {
    const auto& units = platform.system.host_memory_units.value;
    if (platform.host_dram.empty() || !units || !platform.host_memory->bandwidth.value) return nullptr;
    return std::make_shared<RowEfficiency>(platform.host_dram, static_cast<int>(*units),
                                           *platform.host_memory->bandwidth.value);
}

}  // namespace strata
