// A study's results in the text format of Prometheus (version 0.0.4), for a textfile collector or a push gateway.
#pragma once

#include <string>

#include "sim/study/study.hpp"

namespace strata {

// One sample for each metric of each point; labels are the scenario, the engine and what the sweep varies. In base
// units, as Prometheus asks: decode.tpot_ms becomes strata_decode_tpot_seconds.
std::string metrics_text(const Study& study);

}  // namespace strata
