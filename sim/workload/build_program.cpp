#include "sim/workload/build_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/collective/collective.hpp"
#include "sim/model/step_ops.hpp"

namespace strata {

namespace {

// A row read over PCIe travels in completions of at most 256 B, each with 24 B around it (framing, 4-dword header,
// LCRC: Intel AN 708). The measured large-copy rate already pays that for full completions; short ones pay more.
double row_efficiency(double row_bytes) {
    constexpr double kCompletion = 256, kOverhead = 24;
    const double completions = std::ceil(row_bytes / kCompletion);
    const double own = row_bytes / (row_bytes + completions * kOverhead);
    return std::min(1.0, own * (kCompletion + kOverhead) / kCompletion);
}

// Reads a number that only some placements need; when it is null, says so only if it is used.
template <class T, class Read>
void read_if_known(T& into, std::string& missing, Read read) {
    try {
        into = read();
    } catch (const InputError& error) {
        missing = error.what();
    }
}

void require(const std::string& missing) {
    if (!missing.empty()) throw InputError(missing);
}

class Builder {
public:
    Builder(const Scenario& scenario, const Platform& platform, const CostBook& costs)
        : scenario_(scenario), platform_(platform), costs_(costs) {}

    Program build() {
        const Workload& work = scenario_.workload;
        const Placement& placement = scenario_.placement;
        StepShape shape;
        shape.sequences = work.batch / placement.dp;
        shape.queries = work.prefill ? work.prompt : 1;
        shape.context = work.context;
        shape.tensor_ranks = placement.tp;
        shape.expert_ranks = placement.ep;
        shape.prefill = work.prefill;
        tokens_ = shape.tokens();
        const std::vector<Op> ops = step_ops(scenario_.model, shape);
        program_.tasks.reserve(ops.size() + 8 * static_cast<std::size_t>(scenario_.model.layers));
        program_.edges.reserve(program_.tasks.capacity() + 16);
        for (std::size_t i = 0; i < ops.size(); ++i) add(ops, i);
        std::sort(program_.edges.begin(), program_.edges.end());
        return std::move(program_);
    }

private:
    void add(const std::vector<Op>& ops, std::size_t i) {
        const Op& op = ops[i];
        if (const auto* fetch = std::get_if<EngramFetch>(&op.shape);
            fetch && scenario_.placement.engram != Tier::hbm && fetch->tokens > 0) {
            add_fetch(op, *fetch);
            return;
        }
        const auto* experts = std::get_if<MoeExperts>(&op.shape);
        // Dispatch travels in FP8 with one FP32 scale per 128, combine in BF16 (DeepSeek-V3, section 3.2).
        if (experts) send_experts("dispatch", op, *experts, 1 + 4.0 / 128);
        const Estimate cost = costs_.estimate(op.shape, platform_.device);
        append({.name = op.name,
                .slot = op.slot,
                .layer = op.layer,
                .lane = Lane::compute,
                .origin = cost.origin,
                .duration = cost.time,
                .latency = Seconds(0),
                .moved = work_of(op.shape).bytes()});
        if (experts) send_experts("combine", op, *experts, 2);
        const bool last_of_slot = i + 1 == ops.size() || ops[i + 1].slot != op.slot || ops[i + 1].layer != op.layer;
        if (last_of_slot && (op.slot == Slot::attention || op.slot == Slot::ffn)) reduce(op);
    }

    void append(const Task& task) {
        const auto index = static_cast<std::uint32_t>(program_.tasks.size());
        if (last_ != kNone) program_.edges.push_back({last_, index});
        for (const std::uint32_t fetch : awaited_) program_.edges.push_back({fetch, index});
        awaited_.clear();
        program_.tasks.push_back(task);
        last_ = index;
    }

    // Hash addresses are known with the step's tokens, so a prefetch waits for nothing but its lane; a synchronous
    // fetch waits for what stands before it. Either way the next task of the layer waits for the rows.
    void add_fetch(const Op& op, const EngramFetch& fetch) {
        const EngramConfig& engram = *scenario_.model.engram;
        const double rows_held = engram.rows_per_layer();
        const double hits = zipf_hit_rate(scenario_.placement.hot_rows, rows_held, scenario_.placement.zipf_exponent);
        const double rows = fetch.rows() * (1 - hits);
        const bool nvme = scenario_.placement.engram == Tier::nvme;
        require(nvme ? platform_.nvme_missing : platform_.host_missing);
        Task task{.name = "engram_fetch",
                  .slot = op.slot,
                  .layer = op.layer,
                  .lane = nvme ? Lane::nvme_fetch : Lane::host_fetch,
                  .origin = Origin::modelled,
                  .duration = {},
                  .latency = nvme ? platform_.nvme_latency : platform_.host_latency,
                  .moved = Bytes(rows * fetch.row_bytes)};
        task.on_link = task.moved / row_efficiency(fetch.row_bytes);
        if (nvme) {
            task.requests = rows * std::ceil(fetch.row_bytes / platform_.nvme_granularity);
            task.moved = task.on_link = Bytes(task.requests * platform_.nvme_granularity);
        }
        // All ranks of the node fetch in the same phase of the step, so each has its share of what they have in common.
        const double sharing = std::min(platform_.machine.ranks, scenario_.placement.ranks());
        task.duration = evenly_shared_fetch(task, platform_.machine, sharing) + task.latency;
        const auto index = static_cast<std::uint32_t>(program_.tasks.size());
        if (!scenario_.placement.prefetch && last_ != kNone) program_.edges.push_back({last_, index});
        program_.tasks.push_back(task);
        awaited_.push_back(index);
    }

    void send(std::string_view name, const Op& op, Bytes bytes, double peers) {
        if (bytes <= Bytes(0)) return;
        const bool inside = peers <= platform_.scale_up_domain;
        require(inside ? platform_.scale_up_missing : platform_.scale_out_missing);
        const Seconds latency = inside ? platform_.scale_up_latency : platform_.scale_out_latency;
        const Bandwidth wire = inside ? platform_.machine.scale_up : platform_.machine.scale_out;
        append({.name = name,
                .slot = op.slot,
                .layer = op.layer,
                .lane = inside ? Lane::scale_up : Lane::scale_out,
                .origin = Origin::modelled,
                .duration = bytes / wire + latency,
                .latency = latency,
                .moved = bytes});
    }

    // A token's copies to experts on one rank travel once: with E experts spread over n ranks it reaches
    // n (1 - (1 - 1/n)^k) of them on average.
    void send_experts(std::string_view name, const Op& op, const MoeExperts& experts, double bytes_per_element) {
        const double peers = scenario_.placement.ep;
        if (peers <= 1) return;
        const double copies = peers * -std::expm1(experts.top_k * std::log1p(-1 / peers));
        const ExpertAllToAll exchange{.tokens = tokens_ / scenario_.placement.tp,
                                      .hidden = experts.hidden,
                                      .copies = copies,
                                      .bytes_per_element = bytes_per_element,
                                      .peers = peers};
        send(name, op, exchange.sent(), peers);
    }

    // Tensor ranks hold partial sums after attention and after the feed-forward layer.
    void reduce(const Op& op) {
        const double peers = scenario_.placement.tp;
        const AllReduce all_reduce{
            .elements = tokens_ * double(scenario_.model.hidden), .bytes_per_element = 2, .peers = peers};
        send("all_reduce", op, all_reduce.sent(), peers);
    }

    static constexpr std::uint32_t kNone = 0xffffffff;
    const Scenario& scenario_;
    const Platform& platform_;
    const CostBook& costs_;
    Program program_;
    double tokens_ = 0;  // of this rank
    std::uint32_t last_ = kNone;
    std::vector<std::uint32_t> awaited_;
};

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
        platform.scale_up_latency = link.latency.get();
        return 0;
    });
    read_if_known(ignored, platform.scale_out_missing, [&] {
        const LinkSpec& link = present(spec.scale_out_link, system, "scale_out_link");
        machine.scale_out = rate(link);
        platform.scale_out_latency = link.latency.get();
        return 0;
    });
    return platform;
}

Program build_program(const Scenario& scenario, const Platform& platform, const CostBook& costs) {
    return Builder(scenario, platform, costs).build();
}

}  // namespace strata
