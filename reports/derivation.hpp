// How the cost book comes to the time of an op, as people read it: `strata explain`, and an op clicked on in the GUI.
#pragma once

#include <string>

#include "sim/cost/cost_book.hpp"

namespace strata {

std::string derivation_text(const OpPoint& point, const Device& device, const CostCurve& curve,
                            const Derivation& derived);

}  // namespace strata
