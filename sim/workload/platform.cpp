#include "sim/workload/platform.hpp"

namespace strata {

namespace {

// Reads numbers that only some placements need; when one is null, that is said only if it is used.
template <class Read>
void read_if_known(std::string& missing, Read read) {
    try {
        read();
    } catch (const InputError& error) {
        missing = error.what();
    }
}

}  // namespace

Platform platform_of(const PlatformSpec& spec) {
    const SystemSpec& system = spec.system;
    const AcceleratorSpec& accelerator = spec.accelerator;
    Platform platform;
    platform.device = device_of(accelerator);
    Machine& machine = platform.machine;
    machine.ranks = static_cast<int>(system.accelerators_per_node.get());
    machine.memory = accelerator.memory_bandwidth.get();
    machine.memory_rows = accelerator_rows(spec);
    machine.host_rows = host_rows(spec);
    if (accelerator.scale_up_domain.value) platform.scale_up_domain = *accelerator.scale_up_domain.value;
    platform.launch = accelerator.launch.value.value_or(1);
    const auto rate = [](const LinkSpec& link) {
        return link.effective_bandwidth.value ? *link.effective_bandwidth.value : link.bandwidth.get();
    };
    read_if_known(platform.host_missing, [&] {
        const LinkSpec& link = present(spec.host_link, system, "host_link");
        machine.host_link = rate(link);
        platform.host_latency = link.latency.get();
        machine.host_memory =
            present(spec.host_memory, system, "host_memory").bandwidth.get() * system.host_memory_units.get();
    });
    read_if_known(platform.nvme_missing, [&] {
        const MemorySpec& drive = present(spec.nvme, system, "nvme");
        const double drives = system.nvme_units.get();
        machine.nvme = drive.bandwidth.get() * drives;
        machine.nvme_iops = drive.random_read_iops.get() * drives;
        platform.nvme_latency = drive.read_latency.get();
        if (drive.granularity.value) platform.nvme_granularity = drive.granularity.value->si();
        machine.host_link = rate(present(spec.host_link, system, "host_link"));
    });
    read_if_known(platform.scale_up_missing, [&] {
        const LinkSpec& link = present(spec.scale_up_link, system, "scale_up_link");
        machine.scale_up = rate(link);
        platform.device.link = platform.scale_up_raw = link.bandwidth.get();
        platform.scale_up_latency = link.latency.get();
    });
    read_if_known(platform.scale_out_missing, [&] {
        const LinkSpec& link = present(spec.scale_out_link, system, "scale_out_link");
        machine.scale_out = rate(link);
        platform.scale_out_raw = link.bandwidth.get();
        platform.scale_out_latency = link.latency.get();
    });
    return platform;
}

}  // namespace strata
