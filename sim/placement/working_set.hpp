// Memory that a step needs beside what lies there for good.
#pragma once

#include "sim/scenario/scenario.hpp"

namespace strata {

// What a micro-batch has in memory in the layer that needs most (input, intermediates and output of one part of it),
// and the residual streams of all micro-batches of the rank.
Bytes activation_bytes(const Scenario& scenario);

// Buffers of token exchanges, as DeepEP asks for them, and one layer of what is fetched from a tier below.
Bytes buffer_bytes(const Scenario& scenario);

}  // namespace strata
