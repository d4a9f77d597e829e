#include "sim/workload/build_program.hpp"

#include <algorithm>
#include <cmath>

#include "sim/workload/micro_batches.hpp"
#include "sim/workload/stage_program.hpp"

namespace strata {

namespace {

// Reads a number that only some placements need; when it is null, says so only if it is used.
template <class T, class Read>
void read_if_known(T& into, std::string& missing, Read read) {
    try {
        into = read();
    } catch (const InputError& error) {
        missing = error.what();
    }
}

StepShape shape_of(const Scenario& scenario) {
    const Placement& placement = scenario.placement;
    StepShape shape;
    shape.sequences = scenario.workload.batch / placement.dp / placement.batches();
    shape.queries = scenario.workload.prefill ? scenario.workload.prompt : 1;
    shape.context = scenario.workload.context;
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
        if (stage == 0 || serial_time(program) > serial_time(slowest)) slowest = std::move(program);
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

Platform platform_of(const PlatformSpec& spec, const CostBook& costs) {
    const SystemSpec& system = spec.system;
    const AcceleratorSpec& accelerator = spec.accelerator;
    Platform platform;
    platform.device = costs.device_of(accelerator);
    Machine& machine = platform.machine;
    machine.ranks = static_cast<int>(system.accelerators_per_node.get());
    machine.memory = accelerator.memory_bandwidth.get();
    if (accelerator.scale_up_domain.value) platform.scale_up_domain = *accelerator.scale_up_domain.value;
    const auto rate = [](const LinkSpec& link) {
        return link.effective_bandwidth.value ? *link.effective_bandwidth.value : link.bandwidth.get();
    };
    int ignored = 0;
    read_if_known(ignored, platform.host_missing, [&] {
        const LinkSpec& link = present(spec.host_link, system, "host_link");
        machine.host_link = rate(link);
        platform.host_latency = link.latency.get();
        machine.host_memory =
            present(spec.host_memory, system, "host_memory").bandwidth.get() * system.host_memory_units.get();
        return 0;
    });
    read_if_known(ignored, platform.nvme_missing, [&] {
        const MemorySpec& drive = present(spec.nvme, system, "nvme");
        const double drives = system.nvme_units.get();
        machine.nvme = drive.bandwidth.get() * drives;
        machine.nvme_iops = drive.random_read_iops.get() * drives;
        platform.nvme_latency = drive.read_latency.get();
        if (drive.granularity.value) platform.nvme_granularity = drive.granularity.value->si();
        machine.host_link = rate(present(spec.host_link, system, "host_link"));
        return 0;
    });
    read_if_known(ignored, platform.scale_up_missing, [&] {
        const LinkSpec& link = present(spec.scale_up_link, system, "scale_up_link");
        machine.scale_up = rate(link);
        platform.scale_up_raw = link.bandwidth.get();
        platform.scale_up_latency = link.latency.get();
        return 0;
    });
    read_if_known(ignored, platform.scale_out_missing, [&] {
        const LinkSpec& link = present(spec.scale_out_link, system, "scale_out_link");
        machine.scale_out = rate(link);
        platform.scale_out_raw = link.bandwidth.get();
        platform.scale_out_latency = link.latency.get();
        return 0;
    });
    return platform;
}

// In decode every stage always has a micro-batch at work, so a token takes `pp` turns of the slowest stage; a prompt's
// last micro-batch waits in addition for the pipeline to fill.
Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs) {
    const Placement& placement = scenario.placement;
    Program program = slowest_stage(scenario, platform, costs);
    const Seconds fill = serial_time(program) * (placement.pp - 1.0);
    if (placement.micro_batches > 1) program = interleaved(program, placement.micro_batches);
    if (placement.pp > 1) program = repeated(program, placement.pp);
    if (placement.pp > 1 && scenario.workload.prefill) program = delayed(program, fill);
    return program;
}

}  // namespace strata
