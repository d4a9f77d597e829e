#include "sim/result/resources.hpp"

#include <algorithm>

namespace strata {

namespace {

// What one rank's step asks of each part.
struct Asked {
    Bytes memory, host_link, host_memory, expanders, drives, scale_up, scale_out;
    Seconds in_host_memory;  // rows that share no burst take longer than their bytes
    Flops bf16, fp8;
    double reads = 0;
};

Asked asked_of(const Program& program, const Machine& machine) {
    Asked asked;
    for (const Task& task : program.tasks) {
        if (task.pricing == Pricing::given) continue;
        if (task.lane == Lane::compute) {
            asked.memory += task.moved;
            (task.fp8 ? asked.fp8 : asked.bf16) += task.flops;
        } else if (task.lane == Lane::host_compute) {
            asked.host_memory += task.moved;
            asked.in_host_memory += task.moved / machine.host_memory;
        } else if (is_fetch(task.lane)) {
            asked.memory += task.moved;  // where the rows land
            asked.host_link += task.on_link;
            (task.lane == Lane::host_fetch  ? asked.host_memory
             : task.lane == Lane::cxl_fetch ? asked.expanders
                                            : asked.drives) += task.moved;
            asked.reads += task.requests;
            if (task.lane == Lane::host_fetch)
                asked.in_host_memory += task.moved / (machine.host_memory * machine.host_efficiency(task.row));
        } else {
            (task.lane == Lane::scale_up ? asked.scale_up : asked.scale_out) += task.on_link;
        }
    }
    return asked;
}

// FLOPs at the dense peak of their precision; where hardware has no FP8 they run in BF16.
Seconds on_tensor_cores(const Asked& asked, const AcceleratorSpec& part) {
    const auto over = [](Flops flops, const auto& rate) {
        return flops > Flops(0) && rate.value ? flops / *rate.value : Seconds(0);
    };
    return over(asked.bf16, part.bf16) + over(asked.fp8, part.fp8.value ? part.fp8 : part.bf16);
}

}  // namespace

std::vector<ResourceUse> resources_of(const Scenario& scenario, const Machine& machine, const Program& program,
                                      const Timeline& timeline) {
    const Asked asked = asked_of(program, machine);
    const double sharing = std::min(machine.ranks, scenario.placement.ranks());
    std::vector<ResourceUse> found;
    const auto add = [&](const char* name, Seconds busy, Bytes bytes) {
        if (busy > Seconds(0)) found.push_back({.name = name, .busy = busy / timeline.makespan, .bytes = bytes});
    };
    const auto by_bytes = [&](const char* name, Bytes bytes, Bandwidth rate) {
        if (bytes > Bytes(0)) add(name, bytes / rate, bytes);
    };
    by_bytes("rank.hbm", asked.memory, machine.memory);
    add("rank.tensor", on_tensor_cores(asked, scenario.platform.accelerator), {});
    by_bytes("rank.host_link", asked.host_link, machine.host_link);
    by_bytes("rank.scale_up", asked.scale_up, machine.scale_up);
    by_bytes("rank.scale_out", asked.scale_out, machine.scale_out);
    add("node.host_memory", asked.in_host_memory * sharing, asked.host_memory * sharing);
    by_bytes("node.cxl", asked.expanders * sharing, machine.cxl);
    if (asked.drives > Bytes(0))
        add("node.nvme", std::max(asked.drives / machine.nvme, Seconds(asked.reads / machine.nvme_iops)) * sharing,
            asked.drives * sharing);
    return found;
}

}  // namespace strata
