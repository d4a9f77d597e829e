#include "sim/workload/pricing.hpp"

#include <algorithm>

namespace strata {

namespace {

void require(const std::string& missing) {
    if (!missing.empty()) throw InputError(missing);
}

struct Link {
    Bandwidth raw, effective;
    Seconds latency;
};

Link link_of(const Task& task, const Platform& platform) {
    const Machine& machine = platform.machine;
    if (task.lane == Lane::scale_up) {
        require(platform.scale_up_missing);
        return {platform.scale_up_raw, machine.scale_up, platform.scale_up_latency};
    }
    require(platform.scale_out_missing);
    return {platform.scale_out_raw, machine.scale_out, platform.scale_out_latency};
}

Price price_exchange(const Task& task, const Platform& platform, const CostBook& costs) {
    const Link link = link_of(task, platform);
    if (task.pricing == Pricing::wire)
        return {.duration = task.moved / link.effective + link.latency, .latency = link.latency};
    if (task.pricing == Pricing::exchange && task.point && costs.table(task.family)) {
        const Estimate cost = costs.estimate(*task.point, platform.device);
        const Seconds fixed = std::min(cost.overhead, cost.time), spared = fixed * (1 - platform.launch);
        return {
            .duration = cost.time - spared, .latency = fixed - spared, .origin = cost.origin, .outside = cost.outside};
    }
    const Seconds overhead = costs.curve(task.family).overhead;
    const Estimate cost = costs.exchange(task.family, task.moved, link.raw, platform.device);
    if (task.pricing == Pricing::overlapped)
        return {.duration = cost.time - overhead, .latency = {}, .origin = cost.origin};
    const Seconds spared = overhead * (1 - platform.launch);
    return {.duration = cost.time - spared, .latency = overhead - spared, .origin = cost.origin};
}

Price price_fetch(const Task& task, const Platform& platform, int ranks) {
    const bool nvme = task.lane == Lane::nvme_fetch;
    require(nvme ? platform.nvme_missing : platform.host_missing);
    const Seconds latency = nvme ? platform.nvme_latency : platform.host_latency;
    // All ranks of the node fetch in the same phase of the step, so each has its share of what they have in common.
    const double sharing = std::min(platform.machine.ranks, ranks);
    return {.duration = evenly_shared_fetch(task, platform.machine, sharing) + latency, .latency = latency};
}

// A gather reads scattered rows and writes them as a stream, a byte for a byte.
double gather_efficiency(const Task& task, const Machine& machine) {
    if (!machine.memory_rows || task.row <= Bytes(0)) return 0;
    const double scattered = machine.memory_rows->of(task.row), streamed = machine.memory_rows->of_stream();
    return 2 / (1 / scattered + 1 / streamed);
}

}  // namespace

Price price(const Task& task, const Platform& platform, const CostBook& costs, int ranks) {
    switch (task.pricing) {
        case Pricing::kernel: {
            const Work work{.flops = task.flops, .read = task.moved, .written = {}};
            const Estimate cost =
                costs.estimate(KernelWork{.family = task.family,
                                          .fp8 = task.fp8,
                                          .work = work,
                                          .memory_efficiency = gather_efficiency(task, platform.machine),
                                          .point = task.point,
                                          .spared = task.spared},
                               platform.device);
            const Seconds spared = cost.overhead * (1 - platform.launch);
            return {cost.time - spared,     Seconds(0),        cost.origin,
                    cost.overhead - spared, cost.memory_bound, cost.outside};
        }
        case Pricing::fetch: return price_fetch(task, platform, ranks);
        case Pricing::fabric:
        case Pricing::given: return {.duration = task.duration, .latency = task.latency, .origin = task.origin};
        default: return price_exchange(task, platform, costs);
    }
}

Platform beside_exchanges(const Scenario& scenario, const Platform& platform) {
    const bool overlap = scenario.placement.micro_batches > 1 && scenario.placement.ep > 1;
    const bool exchanges = scenario.workload.prefill && overlap && scenario.kernels.exchange != ExchangeKernel::wire;
    return exchanges ? without_exchange_cores(platform) : platform;
}

Platform without_exchange_cores(const Platform& platform) {
    Platform left = platform;
    if (platform.device.cores <= kExchangeCores) return left;
    const double share = 1 - kExchangeCores / platform.device.cores;
    left.device.name.clear();  // tables and records were measured with all cores
    left.device.cuda_name.clear();
    left.device.cores = platform.device.cores - kExchangeCores;
    left.device.bf16 = platform.device.bf16 * share;
    left.device.fp8 = platform.device.fp8 * share;
    return left;
}

Seconds turn_of(const Program& program) {
    Seconds sum;
    for (const Task& task : program.tasks)
        if (task.batch == 0 && task.pricing != Pricing::fetch && task.pricing != Pricing::given) sum += task.duration;
    return sum;
}

}  // namespace strata
