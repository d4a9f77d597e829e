// No step is faster than its bytes and its FLOPs at datasheet peaks: of each kernel and link, and of what the model's
// own accounting says that a step must at least move and compute.
#include <algorithm>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/model/accounting.hpp"
#include "sim/placement/memory.hpp"
#include "tests/properties/random_points.hpp"

namespace strata {
namespace {

class Bounds : public RandomPoints, public testing::WithParamInterface<RandomKind> {
protected:
    void TearDown() override { RecordProperty("closest_percent", fmt::format("{:.2f}", 100 * closest)); }
    void expect_within(Seconds least, Seconds time, std::string_view what) {
        EXPECT_LE(least.si(), time.si() * (1 + kRounding)) << what;
        if (what == "bytes" || what == "FLOPs") closest = std::max(closest, least / time);
    }

    double closest = 0;  // bound over time
};

FlopRate fastest(const AcceleratorSpec& part) {
    FlopRate most(0);
    for (const auto* peak : {&part.bf16, &part.fp8, &part.fp4, &part.int8})
        if (peak->value) most = std::max(most, *peak->value);
    return most;
}

Seconds least_of(const Task& task, const Machine& machine, const AcceleratorSpec& part) {
    if (task.lane == Lane::scale_up) return task.on_link / machine.scale_up;
    if (task.lane == Lane::scale_out) return task.on_link / machine.scale_out;
    if (is_fetch(task.lane)) return evenly_shared_fetch(task, machine, 1);
    if (task.lane != Lane::compute) return {};
    const Seconds moving = task.moved / machine.memory;
    const FlopRate peak = task.fp8 ? fastest(part) : part.bf16.value.value_or(fastest(part));
    return task.flops > Flops(0) ? std::max(moving, task.flops / peak) : moving;
}

// Matrices alone in prefill; a decoded token also attends to its context.
Flops flops_of(const Scenario& scenario) {
    const Workload& work = scenario.workload;
    const double each =
        work.prefill ? 2 * parameters(scenario.model).active_prefill : decode_flops(scenario.model, work.context);
    return Flops(each * work.batch * work.queries());
}

// What every decode step reads of a rank's memory: all weights but experts and the embedding, whose rows it picks, and
// where attention is dense all that is cached.
Bytes bytes_of(const Scenario& scenario, const MemoryUse& use) {
    const Workload& work = scenario.workload;
    const Bytes embedding(2 * parameters(scenario.model).embedding / scenario.placement.tp);
    Bytes read = std::max(Bytes(0), use.weights - embedding);
    if (scenario.model.attention_of.front().kind == AttentionKind::mla && scenario.placement.kv == Tier::hbm)
        read += use.kv * (work.context / (work.context + work.queries()));
    return read;
}

TEST_P(Bounds, of_every_task_and_of_the_step_hold) {
    each(GetParam(), 100, [&](const RandomPoint& point) {
        const Scenario scenario = point.read(inputs.catalog());
        const AcceleratorSpec& part = scenario.platform.accelerator;
        const Machine& machine = inputs.platform(scenario.platform).machine;
        const Program program = inputs.program_of(scenario);
        for (const Task& task : program.tasks)
            if (task.pricing != Pricing::given) expect_within(least_of(task, machine, part), task.duration, task.name);
        const Seconds step = run_analytic(program).makespan;
        if (!scenario.placement.host_computes())
            expect_within(flops_of(scenario) / (fastest(part) * double(scenario.placement.ranks())), step, "FLOPs");
        if (scenario.workload.prefill) return;
        const MemoryUse use = memory_use(scenario, machine.ranks);
        expect_within(bytes_of(scenario, use) / part.memory_bandwidth.get(), step, "bytes");
    });
}

INSTANTIATE_TEST_SUITE_P(Of, Bounds, testing::Values(RandomKind::decode, RandomKind::prefill),
                         [](const auto& given) { return name_of(given.param); });

}  // namespace
}  // namespace strata
