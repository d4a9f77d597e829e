#include "sim/workload/build_program.hpp"

#include <algorithm>

#include "sim/workload/micro_batches.hpp"
#include "sim/workload/pricing.hpp"
#include "sim/workload/stage_program.hpp"

namespace strata {

namespace {

StepShape shape_of(const Scenario& scenario) {
    const Placement& placement = scenario.placement;
    StepShape shape;
    shape.sequences = scenario.workload.batch / placement.dp / placement.batches();
    shape.queries = scenario.workload.queries();
    shape.context = scenario.workload.cached();
    shape.drafts = static_cast<int>(scenario.workload.drafts);
    shape.tensor_ranks = placement.tp;
    shape.expert_ranks = placement.ep;
    shape.redundant_experts = placement.redundant_experts;
    shape.fused_experts = scenario.kernels.experts == ExpertKernel::fused;
    shape.prefill = scenario.workload.prefill;
    return shape;
}

// Layers are shared out evenly; the stage that takes longest sets the pace of all.
Program slowest_stage(const Scenario& scenario, const Platform& platform, const CostBook& costs) {
    const int stages = scenario.placement.pp;
    const int layers = scenario.workload.prefill ? scenario.model.prefill_layers : scenario.model.layers;
    StepShape shape = shape_of(scenario);
    Program slowest;
    for (int stage = 0; stage < stages; ++stage) {
        shape.first_layer = layers * stage / stages;
        shape.end_layer = layers * (stage + 1) / stages;
        Program program = stage_program(scenario, shape, stage + 1 < stages, platform, costs);
        if (stage == 0 || turn_of(program) > turn_of(slowest)) slowest = std::move(program);
    }
    return slowest;
}

}  // namespace

// In decode every stage always has a micro-batch at work, so a token takes `pp` turns of the slowest stage; a prompt's
// last micro-batch waits in addition for the pipeline to fill.
Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs) {
    const Placement& placement = scenario.placement;
    Platform found = beside_exchanges(scenario, platform);
    if (scenario.model.computes_in_int8()) found.device = in_int8(found.device);
    Program program = slowest_stage(scenario, found, costs);
    if (placement.micro_batches > 1) program = interleaved(program, placement.micro_batches);
    if (placement.pp > 1) program = repeated(program, placement.pp);
    if (placement.pp > 1 && scenario.workload.prefill) program = delayed(program, placement.pp - 1);
    return program;
}

}  // namespace strata
