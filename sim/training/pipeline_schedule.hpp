// Pipeline parallelism as lists of tasks: what each device does, in its order. When they run follows from the times
// (pipeline_run.hpp).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace strata {

enum class PipelineKind : std::uint8_t {
    gpipe,        // all forwards, then all backwards (arXiv 1811.06965)
    one_f_one_b,  // a backward as soon as there is one (PipeDream-Flush; Megatron-LM, arXiv 2104.04473)
    zb1p,         // and weight gradients put off to where a device would wait (ZB-H1, arXiv 2401.10241)
    dualpipe,     // micro-batches from both ends, forwards and backwards that hide each other's communication
                  // (DeepSeek-V3, arXiv 2412.19437, section 3.2.1)
    dualpipe_v  // the same folded in a V: half as many devices, none holds a stage twice (github deepseek-ai/DualPipe)
};
std::string_view to_string(PipelineKind kind);

enum class Pass : std::uint8_t {
    forward,
    backward,          // both gradients
    backward_input,    // the gradient that the stage before waits for
    backward_weights,  // the gradient that only the optimiser waits for
    forward_and_backward
};

struct MicroStage {
    int micro_batch = -1, stage = -1;
    auto operator<=>(const MicroStage&) const = default;
};

struct PipelineTask {
    Pass pass = Pass::forward;
    MicroStage forward{}, backward{};  // whichever the pass has
};

struct PipelineSchedule {
    PipelineKind kind{};
    int stages = 1;  // PP
    int micro_batches = 1;
    std::vector<std::vector<PipelineTask>> of_device;
};

// Throws InputError where the schedule does not exist: DualPipe needs an even number of stages and of micro-batches,
// at least two a stage; DualPipeV an even number of stages and at least as many micro-batches.
PipelineSchedule pipeline_schedule(PipelineKind kind, int stages, int micro_batches);

}  // namespace strata
