#include "sim/placement/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strata {

// Routed experts are split over the expert ranks and everything else over tensor ranks, all over pipeline stages;
// tables in HBM are row-sharded over all ranks, tables in host memory or on drives are kept once a node. What a tier
// below HBM holds is staged through a buffer of one layer, which is not counted. Index keys stay in HBM: each step
// scans them all.
MemoryUse memory_use(const Scenario& scenario, int ranks_of_a_node) {
    const Placement& placement = scenario.placement;
    const Model& model = scenario.model;
    const WeightBytes bytes = weight_bytes(model);
    const double tokens = scenario.workload.context + (scenario.workload.prefill ? scenario.workload.prompt : 1);
    const double cached = tokens * scenario.workload.batch / placement.dp / placement.pp / placement.cp;
    const double ranks = std::max(1, std::min(ranks_of_a_node, placement.ranks()));
    MemoryUse use;
    const auto keep = [&](Tier tier, Bytes of_a_rank, Bytes of_a_node) {
        (tier == Tier::hbm    ? use.hbm_of_a_rank
         : tier == Tier::host ? use.host_of_a_node
                              : use.nvme_of_a_node) += tier == Tier::hbm ? of_a_rank : of_a_node;
    };
    use.weights = bytes.other / placement.tp / placement.pp;
    keep(Tier::hbm, use.weights, {});
    const double copies = model.ffn.experts > 0 ? 1 + placement.expert_dials.redundant / model.ffn.experts : 1;
    use.experts = bytes.experts * copies / placement.expert_shards() / placement.pp;
    keep(placement.experts, use.experts, use.experts * ranks);
    // Latent KV is shared by all heads, so tensor ranks each hold all of it; a tier that they share holds it once.
    use.kv = Bytes(kv_bytes_per_token(model) * cached);
    const Bytes index(placement.kv == Tier::hbm ? 0 : index_bytes_per_token(model) * cached);
    keep(Tier::hbm, index, {});
    keep(placement.kv, use.kv - index, (use.kv - index) * std::max(1.0, ranks / placement.tp));
    use.engram = bytes.engram;
    if (!model.engram) return use;
    keep(placement.engram, use.engram / placement.ranks(), use.engram);
    if (placement.engram != Tier::hbm)
        use.hbm_of_a_rank +=
            Bytes(placement.hot_rows * model.engram->row_bytes() * double(model.engram->layer_ids.size())) / ranks;
    return use;
}

void check_fits(const Scenario& scenario) {
    const SystemSpec& system = scenario.platform.system;
    const Placement& placement = scenario.placement;
    const double per_node = system.accelerators_per_node.get();
    const double available = per_node * system.nodes.get();
    if (placement.ranks() > available)
        throw InputError("placement: tp x cp x dp x pp",
                         fmt::format("at most {:.0f} ranks ({} has that many accelerators)", available, system.name),
                         std::to_string(placement.ranks()));
    const int stage = placement.stage_ranks();
    if (placement.ep > stage || stage % placement.ep != 0)
        throw InputError("placement.ep", fmt::format("a divisor of tp x cp x dp = {}", stage),
                         std::to_string(placement.ep));
    if (placement.cp > 1 && !scenario.workload.prefill)
        throw InputError("placement.cp",
                         "1 outside prefill: a decode step has one token of a sequence, and none to share",
                         std::to_string(placement.cp));
    if (placement.cp > scenario.workload.prompt)
        throw InputError("placement.cp",
                         fmt::format("a token of the prompt ({}) for each rank", scenario.workload.prompt),
                         std::to_string(placement.cp));
    if (placement.pp > scenario.model.layers)
        throw InputError("placement.pp", fmt::format("at most one stage a layer ({})", scenario.model.layers),
                         std::to_string(placement.pp));
    if (scenario.workload.batch < placement.dp * placement.batches())
        throw InputError("workload.batch",
                         fmt::format("at least one sequence for each of dp x pp x micro_batches = {}",
                                     placement.dp * placement.batches()),
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
                      placement.experts == Tier::hbm ? to_GB(use.experts) : 0,
                      placement.kv == Tier::hbm ? to_GB(use.kv) : 0, to_GB(table)));
    const std::string below = "what the placement keeps there of experts, KV and Engram tables";
    if (use.host_of_a_node > Bytes(0))
        check("host memory of one node", use.host_of_a_node, system.host_memory_capacity.get(), below);
    if (use.nvme_of_a_node > Bytes(0)) {
        const Bytes drive = present(scenario.platform.nvme, system, "nvme").capacity.get();
        check("drives of one node", use.nvme_of_a_node, drive * system.nvme_units.get(), below);
    }
}

}  // namespace strata
