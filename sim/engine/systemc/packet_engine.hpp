// A collective packet by packet, in simulated time.
#pragma once

#include "sim/result/run.hpp"

namespace strata {

// Throws InputError as the flow engine does, for routing by Valiant's stops, for algorithms that packets cannot play,
// and for packets that wait for each other in a circle.
Run run_packets(const CollectiveWorkload& what);

}  // namespace strata
