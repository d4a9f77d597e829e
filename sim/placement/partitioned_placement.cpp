#include "sim/placement/partitioned_placement.hpp"

#include "sim/placement/eplb.hpp"

namespace strata {

namespace {

// Slots of one node, rank by rank.
std::vector<std::size_t> on_ranks(const std::vector<std::size_t>& slots, const CoActivationGraph& graph, int ranks) {
    std::vector<float> load;
    for (const std::size_t slot : slots) load.push_back(float(graph[slot].tokens));
    const std::vector<int> rank_of = balanced_packing(load, ranks);
    std::vector<std::size_t> placed;
    for (int rank = 0; rank < ranks; ++rank)
        for (std::size_t i = 0; i < slots.size(); ++i)
            if (rank_of[i] == rank) placed.push_back(slots[i]);
    return placed;
}

}  // namespace

ExpertPlacement partitioned_placement(const CoActivationGraph& experts, const TwoLevelFabric& fabric,
                                      const PartitionedSpec& spec) {
    const int count = int(boost::num_vertices(experts)), ranks = fabric.ranks();
    const int slots = slots_per_rank(count, spec.redundant, ranks) * ranks;
    std::vector<float> load;
    for (int expert = 0; expert < count; ++expert) load.push_back(float(experts[std::size_t(expert)].tokens));
    const std::vector<int> expert_of = replicated_experts(load, slots);
    const CoActivationGraph graph = among_slots(experts, expert_of);
    const std::vector<int> node_of = partition(
        graph, {.parts = fabric.nodes, .tolerance = spec.tolerance, .starts = spec.starts, .seed = spec.seed});
    std::vector<std::vector<std::size_t>> of_node(std::size_t(fabric.nodes));
    for (std::size_t slot = 0; slot < node_of.size(); ++slot) of_node[std::size_t(node_of[slot])].push_back(slot);
    ExpertPlacement placement{.experts = count, .ranks = ranks};
    for (const auto& own : of_node)
        for (const std::size_t slot : on_ranks(own, graph, fabric.ranks_per_node))
            placement.expert_of_slot.push_back(expert_of[slot]);
    return placement;
}

}  // namespace strata
