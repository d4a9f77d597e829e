#include "sim/workload/build_program.hpp"

#include <algorithm>
#include <cmath>

#include "sim/workload/micro_batches.hpp"
#include "sim/workload/pricing.hpp"
#include "sim/workload/stage_program.hpp"

namespace strata {

namespace {

StepShape shape_of(const Scenario& scenario) {
    const Placement& placement = scenario.placement;
    StepShape shape;
    shape.sequences = scenario.workload.batch / placement.dp / placement.batches();
    shape.queries = scenario.workload.prefill ? scenario.workload.prompt / placement.cp : 1;
    // A rank of several has tokens from the prompt's begin and end, so that all attend to as many as a slice from its
    // middle would (Megatron-LM's context parallelism).
    const double others = scenario.workload.prefill ? scenario.workload.prompt - shape.queries : 0;
    shape.context = scenario.workload.context + others / 2;
    shape.context_ranks = placement.cp;
    shape.tensor_ranks = placement.tp;
    shape.expert_ranks = placement.ep;
    shape.redundant_experts = placement.expert_dials.redundant;
    shape.fused_experts = scenario.kernels.experts == ExpertKernel::fused;
    shape.prefill = scenario.workload.prefill;
    return shape;
}

// Layers are shared out evenly; the stage that takes longest sets the pace of all.
Program slowest_stage(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                      const ProgramInputs& more) {
    const int stages = scenario.placement.pp;
    const int layers = scenario.workload.prefill ? scenario.model.prefill_layers : scenario.model.layers;
    StepShape shape = shape_of(scenario);
    Program slowest;
    for (int stage = 0; stage < stages; ++stage) {
        shape.first_layer = layers * stage / stages;
        shape.end_layer = layers * (stage + 1) / stages;
        Program program = stage_program(scenario, shape, stage + 1 < stages, platform, costs, more);
        if (stage == 0 || turn_of(program) > turn_of(slowest)) slowest = std::move(program);
    }
    return slowest;
}

}  // namespace

double zipf_hit_rate(double cached, double rows, double s) {
    if (cached <= 0) return 0;
    if (cached >= rows) return 1;
    const auto mass = [s](double n) {
        constexpr double kFrom = 0.5;
        const double to = n + 0.5;
        return std::abs(s - 1) < 1e-9 ? std::log(to / kFrom) : (std::pow(to, 1 - s) - std::pow(kFrom, 1 - s)) / (1 - s);
    };
    return std::min(1.0, mass(cached) / mass(rows));
}

RankSharesSpec shares_spec(const Scenario& scenario, int ranks_of_a_node) {
    const Placement& placement = scenario.placement;
    const StepShape shape = shape_of(scenario);
    // Where fewer ranks share the experts than split the tensors, neighbours hold slices of the same ones.
    const int neighbours = std::max(1, placement.tp / placement.ep);
    return {.routing = *scenario.routing,
            .experts = scenario.placement.expert_dials,
            .ranks = placement.ep,
            .ranks_per_node = std::max(1, std::min(ranks_of_a_node, placement.ranks()) / neighbours),
            .tokens = std::llround(shape.tokens() * std::max(1.0, double(placement.ep) / placement.tp))};
}

// In decode every stage always has a micro-batch at work, so a token takes `pp` turns of the slowest stage; a prompt's
// last micro-batch waits in addition for the pipeline to fill.
Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                      const ProgramInputs& more) {
    const Placement& placement = scenario.placement;
    Program program = slowest_stage(scenario, beside_exchanges(scenario, platform), costs, more);
    if (placement.micro_batches > 1) program = interleaved(program, placement.micro_batches);
    if (placement.pp > 1) program = repeated(program, placement.pp);
    if (placement.pp > 1 && scenario.workload.prefill) program = delayed(program, placement.pp - 1);
    return program;
}

}  // namespace strata
