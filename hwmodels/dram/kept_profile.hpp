// characterise(), with answers kept between runs: in STRATA_CACHE, or else in strata/ of the user's cache folder, by
// the fingerprint of the memory, the pattern and the model's own source. Where there is no such folder nothing is kept.
#pragma once

#include "hwmodels/dram/characterise.hpp"

namespace strata {

AccessProfile kept_profile(const DramSpec& spec, int units, const AccessPattern& pattern);

}  // namespace strata
