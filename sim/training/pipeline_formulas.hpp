// What is published of pipeline schedules with uniform stages and no transfers (github deepseek-ai/DualPipe, README;
// GPipe: arXiv 1811.06965). The simulation (training_step.hpp) gives the same and is right for unequal stages too.
#pragma once

#include "sim/training/training_step.hpp"

namespace strata {

// Time in which a device waits, F forward, B the whole backward, W its weight gradient, F&B a forward and a backward
// that overlap: GPipe and 1F1B (PP - 1)(F + B), ZB1P (PP - 1)(F + B - 2W), DualPipe and DualPipeV (PP / 2 - 1)(F&B + B
// - 3W).
Seconds published_bubble(PipelineKind kind, int stages, const StageTimes& times);
// Most micro-batches of a stage whose activations a device holds: all of GPipe's, PP, PP, PP + 1, PP + 1.
int published_activations(PipelineKind kind, int stages, int micro_batches);
int published_parameters(PipelineKind kind);  // stages a device holds: 1, or 2 of DualPipe and DualPipeV

}  // namespace strata
