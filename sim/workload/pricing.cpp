#include "sim/workload/pricing.hpp"

#include <algorithm>
#include <bit>

namespace strata {

namespace {

void require(const std::string& missing) {
    if (!missing.empty()) throw InputError(missing);
}

// The band of an estimate, carried over to what is left of its time.
Price with_band(Price price, const Estimate& cost) {
    if (cost.time > Seconds(0)) {
        price.low = cost.low / cost.time;
        price.high = cost.high / cost.time;
    }
    return price;
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
        return with_band(
            {.duration = cost.time - spared, .latency = fixed - spared, .origin = cost.origin, .outside = cost.outside},
            cost);
    }
    const Seconds overhead = costs.curve(task.family).overhead;
    const Estimate cost = costs.exchange(task.family, task.moved, link.raw, platform.device);
    if (task.pricing == Pricing::overlapped)
        return with_band({.duration = cost.time - overhead, .latency = {}, .origin = cost.origin}, cost);
    const Seconds spared = overhead * (1 - platform.launch);
    return with_band({.duration = cost.time - spared, .latency = overhead - spared, .origin = cost.origin}, cost);
}

Price price_fetch(const Task& task, const Platform& platform, int ranks) {
    const bool nvme = task.lane == Lane::nvme_fetch, cxl = task.lane == Lane::cxl_fetch;
    require(nvme ? platform.nvme_missing : cxl ? platform.cxl_missing : platform.host_missing);
    const Seconds latency = nvme ? platform.nvme_latency : cxl ? platform.cxl_latency : platform.host_latency;
    // All ranks of the node fetch in the same phase of the step, so each has its share of what they have in common.
    const double sharing = std::min(platform.machine.ranks, ranks);
    return {.duration = evenly_shared_fetch(task, platform.machine, sharing) + latency, .latency = latency};
}

// All ranks of the node ask its cores in the same phase of the step.
Price price_host_kernel(const Task& task, const Platform& platform, int ranks) {
    require(platform.host_missing);
    require(platform.host_compute_missing);
    const double sharing = std::min(platform.machine.ranks, ranks);
    const Seconds computing = task.flops / (platform.machine.host_compute * kHostComputeEfficiency) * sharing;
    const Seconds reading = task.moved / (platform.machine.host_memory * kHostMemoryEfficiency) * sharing;
    return {.duration = std::max(computing, reading),
            .latency = {},
            .origin = Origin::transferred,
            .overhead = {},
            .memory_bound = reading >= computing};
}

// A gather reads scattered rows and writes them as a stream, a byte for a byte.
double gather_efficiency(const Task& task, const Machine& machine) {
    if (!machine.memory_rows || task.row <= Bytes(0)) return 0;
    const double scattered = machine.memory_rows->of(task.row), streamed = machine.memory_rows->of_stream();
    return 2 / (1 / scattered + 1 / streamed);
}

// At datasheet peaks: however little launching takes, bytes and FLOPs take that.
Seconds least_time(const Task& kernel, const Device& device) {
    const FlopRate peak = kernel.fp8 ? device.fp8 : device.bf16;
    const bool computes = kernel.flops > Flops(0) && peak > FlopRate(0);
    return std::max(kernel.moved / device.memory, computes ? kernel.flops / peak : Seconds(0));
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
            const Seconds most = std::max(Seconds(0), cost.time - least_time(task, platform.device));
            const Seconds spared = std::min(cost.overhead * (1 - platform.launch), most), time = cost.time - spared;
            const Seconds waits = std::max(Seconds(0), task.issued - time);
            const Price found{.duration = time + waits,
                              .latency = {},
                              .origin = cost.origin,
                              .overhead = cost.overhead - spared + waits,
                              .memory_bound = cost.memory_bound,
                              .outside = cost.outside};
            // How long the host takes to launch is not the cost book's to know.
            return waits > Seconds(0) ? found : with_band(found, cost);
        }
        case Pricing::fetch: return price_fetch(task, platform, ranks);
        case Pricing::host_kernel: return price_host_kernel(task, platform, ranks);
        case Pricing::fabric:
        case Pricing::given: return {.duration = task.duration, .latency = task.latency, .origin = task.origin};
        default: return price_exchange(task, platform, costs);
    }
}

Price KnownPrices::of(const Task& task) {
    const bool follows = task.pricing != Pricing::fabric && task.pricing != Pricing::given;
    if (!follows) return price(task, platform_, costs_, ranks_);
    constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;  // odd, and no pattern in its bits
    const std::uint64_t key =
        std::bit_cast<std::uint64_t>(task.flops.si()) * kMix + std::bit_cast<std::uint64_t>(task.moved.si());
    for (auto at = asked_.begin(); (at = std::find(at, asked_.end(), key)) != asked_.end(); ++at) {
        const auto& [known, price] = prices_[static_cast<std::size_t>(at - asked_.begin())];
        if (asked_of(known) == asked_of(task)) return price;
    }
    const Price found = price(task, platform_, costs_, ranks_);
    asked_.push_back(key);
    prices_.emplace_back(task, found);
    return found;
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
    for (std::size_t i = 0; i < program.tasks.size(); ++i)
        if (const Task& task = program.tasks[i];
            program.tasks.batch(i) == 0 && task.pricing != Pricing::fetch && task.pricing != Pricing::given)
            sum += task.duration;
    return sum;
}

}  // namespace strata
