#include "sim/workload/build_program.hpp"

#include <algorithm>
#include <cmath>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/workload/micro_batches.hpp"
#include "sim/workload/pricing.hpp"
#include "sim/workload/stage_program.hpp"

namespace strata {

namespace {

constexpr double kGundamTile = 640;  // pixels a side; 100 tokens (arXiv 2510.18234, table 1)

StepShape shape_of(const Scenario& scenario) {
    const Placement& placement = scenario.placement;
    StepShape shape;
    shape.sequences = scenario.workload.batch / placement.dp / placement.batches();
    const double computed = scenario.workload.queries();
    shape.queries = computed / placement.cp;
    // A rank of several has tokens from the prompt's begin and end, so that all attend to as many as a slice from its
    // middle would (Megatron-LM's context parallelism).
    shape.context = scenario.workload.cached() + (computed - shape.queries) / 2;
    shape.context_ranks = placement.cp;
    shape.drafts = static_cast<int>(scenario.workload.drafts);
    shape.tensor_ranks = placement.tp;
    shape.expert_ranks = placement.ep;
    shape.redundant_experts = placement.expert_dials.redundant;
    shape.fused_experts = scenario.kernels.experts == ExpertKernel::fused;
    shape.cutlass_experts = scenario.kernels.experts == ExpertKernel::cutlass;
    shape.prefill = scenario.workload.prefill;
    shape.images = images_of(scenario);
    return shape;
}

// In decode every stage always has a micro-batch at work, so a token takes `pp` turns of the slowest stage; a prompt's
// last micro-batch waits in addition for the pipeline to fill.
Program in_turns(Program stage, const Scenario& scenario) {
    const Placement& placement = scenario.placement;
    if (placement.micro_batches > 1) stage = interleaved(stage, placement.micro_batches);
    if (placement.pp > 1) stage = repeated(stage, placement.pp);
    if (placement.pp > 1 && scenario.workload.prefill) stage = delayed(stage, placement.pp - 1);
    return stage;
}

// Layers are shared out evenly; the stage that takes longest sets the pace of all. Which one that is depends on what
// its fetches and exchanges hide behind, so each is walked.
Program slowest_stage(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                      const ProgramInputs& more) {
    const int stages = scenario.placement.pp;
    const int layers = scenario.workload.prefill ? scenario.model.prefill_layers : scenario.model.layers;
    StepShape shape = shape_of(scenario);
    Program slowest;
    Seconds longest;
    for (int stage = 0; stage < stages; ++stage) {
        shape.first_layer = layers * stage / stages;
        shape.end_layer = layers * (stage + 1) / stages;
        Program program = in_turns(stage_program(scenario, shape, stage + 1 < stages, platform, costs, more), scenario);
        const Seconds takes = stages > 1 ? run_analytic(program).makespan : Seconds(0);
        if (stage == 0 || takes > longest) {
            slowest = std::move(program);
            longest = takes;
        }
    }
    return slowest;
}

}  // namespace

// Ranks that split tensors or a prompt hold the whole encoder each and share out the pages, whole ones: what serving
// frameworks call data parallelism of the encoder (vLLM's mm_encoder_tp_mode). The rank with most of them counts.
std::vector<PageImages> images_of(const Scenario& scenario) {
    const Workload& work = scenario.workload;
    const Placement& placement = scenario.placement;
    std::vector<PageImages> images;
    if (!work.prefill || !work.optical) return images;
    const double sequences = work.batch / placement.dp / placement.batches(), ranks = placement.tp * placement.cp;
    const auto add = [&](double side, double count) {
        for (PageImages& known : images)
            if (known.side == side) return void(known.images += count);
        images.push_back({.side = side, .images = count});
    };
    for (const PageGroup& group : work.optical->prompt_pages()) {
        const double pages = std::ceil(sequences * group.pages * (1 - work.prefix_hits) / ranks);
        add(double(side_of(group.mode)), pages);
        if (group.mode == PageMode::gundam) add(kGundamTile, pages * work.optical->dials.tiles);
    }
    return images;
}

double tokens_of_a_rank(const Scenario& scenario) { return shape_of(scenario).tokens(); }

RankSharesSpec shares_spec(const Scenario& scenario, double tokens, int ranks_of_a_node) {
    const Placement& placement = scenario.placement;
    // Where fewer ranks share the experts than split the tensors, neighbours hold slices of the same ones.
    const int neighbours = std::max(1, placement.tp / placement.ep);
    return {.routing = *scenario.routing,
            .experts = scenario.placement.expert_dials,
            .ranks = placement.ep,
            .ranks_per_node = std::max(1, std::min(ranks_of_a_node, placement.ranks()) / neighbours),
            .tokens = std::llround(tokens * std::max(1.0, double(placement.ep) / placement.tp))};
}

Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs,
                      const ProgramInputs& more) {
    Platform found = beside_exchanges(scenario, platform);
    if (scenario.model.computes_in_int8()) found.device = in_int8(found.device);
    return slowest_stage(scenario, found, costs, more);
}

}  // namespace strata
