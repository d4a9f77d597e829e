#include "sim/placement/memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/model/vision_encoder.hpp"
#include "sim/placement/working_set.hpp"

namespace strata {

namespace {

// Puts what a rank keeps of something where the placement says; `copied` of it lies in HBM beside.
class Tiers {
public:
    explicit Tiers(MemoryUse& use) : use_(use) {}
    void keep(Bytes& in_hbm, Bytes MemoryUse::Below::*what, Tier tier, Bytes of_a_rank, Bytes of_a_node,
              Bytes copied = {}) const {
        const auto below = [&](Bytes& all, MemoryUse::Below& made_of) {
            all += of_a_node;
            made_of.*what += of_a_node;
        };
        switch (tier) {
            case Tier::hbm: in_hbm += of_a_rank; return;
            case Tier::host: below(use_.host_of_a_node, use_.host); break;
            case Tier::cxl: below(use_.cxl_of_a_node, use_.cxl); break;
            case Tier::nvme: below(use_.nvme_of_a_node, use_.nvme); break;
        }
        in_hbm += copied;
    }

private:
    MemoryUse& use_;
};

// Of the multi-token-prediction layers only where they run.
struct Weights {
    Bytes routed, other;
};
Weights weights_of(const Scenario& scenario) {
    const Model& model = scenario.model;
    const WeightBytes bytes = weight_bytes(model);
    if (scenario.workload.drafts <= 0) return {bytes.experts, bytes.other};
    const Bytes routed(mtp_parameters(model).routed * bytes_per_element(model.experts));
    return {bytes.experts + routed, bytes.other + bytes.mtp - routed};
}

// The first stage does, whose memory is the fullest then.
bool encodes_pages(const Scenario& scenario) { return scenario.workload.prefill && scenario.workload.optical; }

// Cores of each socket read a copy of their own: KTransformers does so (its USE_NUMA), and a second socket is of little
// use without.
double copies_in_host_memory(const Scenario& scenario) {
    if (!scenario.placement.host_computes()) return 1;
    return scenario.platform.system.host_sockets.get();
}

}  // namespace

std::vector<std::pair<std::string, Bytes>> MemoryUse::classes() const {
    return {{"weights", weights}, {"experts", experts},         {"kv", kv},          {"index", index},
            {"engram", engram},   {"activations", activations}, {"buffers", buffers}};
}

std::vector<std::pair<std::string, Bytes>> MemoryUse::Below::classes() const {
    std::vector<std::pair<std::string, Bytes>> there{{"experts", experts}, {"kv", kv}, {"engram", engram}};
    std::erase_if(there, [](const auto& one) { return one.second <= Bytes(0); });
    return there;
}

// Routed experts are split over the expert ranks and everything else over tensor ranks, all over pipeline stages;
// tables in HBM are row-sharded over all ranks, tables below it are kept once a node. Index keys and sliding windows,
// which each step reads whole, stay in HBM. A tier below holds all else, what is cached above it included.
MemoryUse memory_use(const Scenario& scenario, int ranks_of_a_node) {
    const Placement& placement = scenario.placement;
    const Model& model = scenario.model;
    const Workload& work = scenario.workload;
    const double entries = (work.cached() + work.queries()) * work.batch / placement.dp / placement.pp / placement.cp;
    const double ranks = std::max(1, std::min(ranks_of_a_node, placement.ranks()));
    MemoryUse use;
    const Tiers tiers(use);
    const Weights weights = weights_of(scenario);
    use.weights = weights.other / placement.tp / placement.pp;
    if (encodes_pages(scenario)) use.weights += Bytes(vision_parameters(model.hidden) * 2);  // BF16, whole on each rank
    const double experts = model.ffn.experts + placement.expert_dials.redundant;
    const double copies = model.ffn.experts > 0 ? experts / model.ffn.experts : 1;
    const Bytes routed = weights.routed * copies / placement.expert_shards() / placement.pp;
    const double cached = experts > 0 ? std::min(1.0, placement.cached_experts / experts) : 0;
    tiers.keep(use.experts, &MemoryUse::Below::experts, placement.experts, routed,
               routed * ranks * copies_in_host_memory(scenario), routed * cached);
    // Latent KV is shared by all heads, so tensor ranks each hold all of it; a tier that they share holds it once.
    const Bytes all(kv_bytes_per_token(model) * entries), index(index_bytes_per_token(model) * entries);
    const Bytes kv = all - index;
    use.index = index;
    tiers.keep(use.kv, &MemoryUse::Below::kv, placement.kv, kv, kv * std::max(1.0, ranks / placement.tp),
               kv * placement.cached_kv);
    const double sequences = work.batch / placement.dp / placement.pp;
    use.kv += Bytes(window_bytes(model, work.cached() + work.queries()) * sequences);
    if (model.engram) {
        const Bytes tables = weight_bytes(model).engram;
        const Bytes hot(placement.hot_rows * model.engram->row_bytes() * double(model.engram->layer_ids.size()));
        const auto keep = [&](Tier tier, double count, Bytes copied) {
            tiers.keep(use.engram, &MemoryUse::Below::engram, tier, tables * count / placement.ranks(), tables * count,
                       copied);
        };
        const auto& domains = placement.domains;
        keep(placement.engram,
             !domains                    ? 1
             : !placement.swaps_tables() ? domains->tables
             : domains->behind           ? 2
                                         : 1,
             hot / ranks);
        if (placement.swaps_tables()) keep(domains->waiting, domains->tables, {});
    }
    use.activations = activation_bytes(scenario);
    use.buffers = buffer_bytes(scenario);
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
    if (scenario.workload.drafts > 0 && !scenario.model.mtp)
        throw InputError("workload.draft", "a model with MTP layers that could draft", scenario.model.name);
    if (placement.host_computes() && (placement.experts != Tier::host || placement.ep > placement.tp))
        throw InputError(
            "placement.experts.compute",
            "host only with experts.tier host and ep at most tp: cores compute what lies beside them, for "
            "the tokens of their own accelerators",
            fmt::format("tier {}, ep {}, tp {}", to_string(placement.experts), placement.ep, placement.tp));
    const MemoryUse use = memory_use(scenario, static_cast<int>(per_node));
    const auto check = [&](const char* tier, Bytes needed, Bytes has, const std::string& parts) {
        if (needed > has)
            throw InputError("placement", fmt::format("at most {:.1f} GB in {} of {}", to_GB(has), tier, system.name),
                             fmt::format("{:.1f} GB ({})", to_GB(needed), parts));
    };
    check("HBM of one accelerator", use.hbm_of_a_rank(), scenario.platform.accelerator.memory_capacity.get(),
          fmt::format("weights {:.1f}, experts {:.1f}, KV {:.1f}, Engram {:.1f}, activations {:.1f}, buffers {:.1f}",
                      to_GB(use.weights), to_GB(use.experts), to_GB(use.kv + use.index), to_GB(use.engram),
                      to_GB(use.activations), to_GB(use.buffers)));
    const std::string below = "what the placement keeps there of experts, KV and Engram tables";
    if (use.host_of_a_node > Bytes(0))
        check("host memory of one node", use.host_of_a_node, system.host_memory_capacity.get(), below);
    if (use.cxl_of_a_node > Bytes(0)) {
        const Bytes expander = present(scenario.platform.cxl, system, "cxl").capacity.get();
        check("CXL memory of one node", use.cxl_of_a_node, expander * system.cxl_units.get(), below);
    }
    if (use.nvme_of_a_node > Bytes(0)) {
        const Bytes drive = present(scenario.platform.nvme, system, "nvme").capacity.get();
        check("drives of one node", use.nvme_of_a_node, drive * system.nvme_units.get(), below);
    }
}

}  // namespace strata
