#include "sim/placement/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strata {

// Routed experts are split over the expert ranks and everything else over tensor ranks; tables in HBM are row-sharded
// over all ranks, tables in host memory or on drives are kept once a node.
MemoryUse memory_use(const Scenario& scenario, int ranks_of_a_node) {
    const Placement& placement = scenario.placement;
    const WeightBytes bytes = weight_bytes(scenario.model);
    const double tokens = scenario.workload.context + (scenario.workload.prefill ? scenario.workload.prompt : 1);
    MemoryUse use;
    use.weights = bytes.other / placement.tp;
    use.experts = bytes.experts / placement.ep;
    use.engram = bytes.engram;
    // Latent KV is shared by all heads, so tensor ranks each hold all of it.
    use.kv = Bytes(kv_bytes_per_token(scenario.model) * tokens * scenario.workload.batch / placement.dp);
    use.hbm_of_a_rank = use.weights + use.experts + use.kv;
    const double rows = scenario.placement.hot_rows;
    if (scenario.model.engram) {
        if (placement.engram == Tier::hbm) use.hbm_of_a_rank += use.engram / placement.ranks();
        if (placement.engram == Tier::host) use.host_of_a_node = use.engram;
        if (placement.engram == Tier::nvme) use.nvme_of_a_node = use.engram;
        if (placement.engram != Tier::hbm)
            use.hbm_of_a_rank +=
                Bytes(rows * scenario.model.engram->row_bytes() * double(scenario.model.engram->layer_ids.size())) /
                std::max(1, std::min(ranks_of_a_node, placement.ranks()));
    }
    return use;
}

void check_fits(const Scenario& scenario) {
    const SystemSpec& system = scenario.platform.system;
    const Placement& placement = scenario.placement;
    const double per_node = system.accelerators_per_node.get();
    const double available = per_node * system.nodes.get();
    if (placement.ranks() > available)
        throw InputError("placement: tp x dp",
                         fmt::format("at most {:.0f} ranks ({} has that many accelerators)", available, system.name),
                         std::to_string(placement.ranks()));
    if (placement.ep > placement.ranks() || placement.ranks() % placement.ep != 0)
        throw InputError("placement.ep", fmt::format("a divisor of tp x dp = {}", placement.ranks()),
                         std::to_string(placement.ep));
    if (scenario.workload.batch < placement.dp)
        throw InputError("workload.batch",
                         fmt::format("at least one sequence for each of the dp = {} groups", placement.dp),
                         fmt::format("{}", scenario.workload.batch));
    const MemoryUse use = memory_use(scenario, static_cast<int>(per_node));
    const auto check = [&](const char* tier, Bytes needed, Bytes has, const std::string& parts) {
        if (needed > has)
            throw InputError("placement", fmt::format("at most {:.1f} GB in {} of {}", to_GB(has), tier, system.name),
                             fmt::format("{:.1f} GB ({})", to_GB(needed), parts));
    };
    const Bytes table = placement.engram == Tier::hbm ? use.engram / placement.ranks() : Bytes(0);
    check("HBM of one accelerator", use.hbm_of_a_rank, scenario.platform.accelerator.memory_capacity.get(),
          fmt::format("weights {:.1f}, experts {:.1f}, KV {:.1f}, Engram {:.1f}", to_GB(use.weights),
                      to_GB(use.experts), to_GB(use.kv), to_GB(table)));
    if (use.host_of_a_node > Bytes(0))
        check("host memory of one node", use.host_of_a_node, system.host_memory_capacity.get(), "Engram tables");
    if (use.nvme_of_a_node > Bytes(0)) {
        const Bytes drive = present(scenario.platform.nvme, system, "nvme").capacity.get();
        check("drives of one node", use.nvme_of_a_node, drive * system.nvme_units.get(), "Engram tables");
    }
}

}  // namespace strata
