// A step that several micro-batches make together, out of the Program of one.
#pragma once

#include "sim/workload/program.hpp"

namespace strata {

// `copies` micro-batches take turns: a lane serves the first up to its next exchange, then the second, so that one
// computes while the other's tokens travel (DeepSeek-V3, arXiv 2412.19437, section 3.4).
Program interleaved(const Program& one, int copies);

// `times` micro-batches one after the other, as a pipeline stage sees them: each starts when the one before has left.
// Prefetches may run ahead.
Program repeated(const Program& one, int times);

// The whole Program starts when `turns` micro-batches have passed: the time in which a pipeline fills.
Program delayed(const Program& program, int turns);

}  // namespace strata
