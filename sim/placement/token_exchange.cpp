#include "sim/placement/token_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "hwmodels/input_error.hpp"
#include "kernels/mixed_bits.hpp"

namespace strata {

namespace {

// Copies that each rank sends and receives, outside its node and inside.
struct Traffic {
    std::vector<double> sent, received;
    explicit Traffic(int ranks) : sent(std::size_t(ranks)), received(std::size_t(ranks)) {}

    void copy(int from, int to) {
        ++sent[std::size_t(from)];
        ++received[std::size_t(to)];
    }
    // What is dispatched comes back combined, so a link's busier direction is the larger of
    // sent * dispatch + received * combine and the reverse.
    Seconds busiest(const TokenCost& cost, Bandwidth bandwidth) const {
        Bytes most{};
        for (std::size_t rank = 0; rank < sent.size(); ++rank)
            most = std::max({most, cost.dispatch * sent[rank] + cost.combine * received[rank],
                             cost.dispatch * received[rank] + cost.combine * sent[rank]});
        return most > Bytes(0) ? most / bandwidth : Seconds(0);
    }
};

class SlotRouter {
public:
    SlotRouter(const ExpertPlacement& placement, const TwoLevelFabric& fabric, SlotChoice choice)
        : placement_(placement), fabric_(fabric), choice_(choice), slots_(placement.slots_of_experts()) {}

    // The rank that serves the expert for a token of node `home`.
    int rank_for(std::size_t token, int expert, int home) const {
        const std::vector<int>& slots = slots_[std::size_t(expert)];
        if (slots.size() == 1) return placement_.rank_of_slot(slots[0]);
        const std::uint64_t hash = mixed_bits(token * 0x10001 + std::uint64_t(expert));
        std::vector<int> near;
        if (choice_ == SlotChoice::nearest)
            for (const int slot : slots)
                if (fabric_.node_of(placement_.rank_of_slot(slot)) == home) near.push_back(slot);
        const std::vector<int>& among = near.empty() ? slots : near;
        return placement_.rank_of_slot(among[hash % among.size()]);
    }

private:
    const ExpertPlacement& placement_;
    const TwoLevelFabric& fabric_;
    SlotChoice choice_;
    std::vector<std::vector<int>> slots_;
};

void check_fits(const ExpertPlacement& placement, const TokenSample& sample, const TwoLevelFabric& fabric) {
    placement.check();
    if (fabric.ranks() != placement.ranks)
        throw InputError("placement.fabric", fmt::format("{} ranks, as the placement has", placement.ranks),
                         fmt::format("{} nodes of {}", fabric.nodes, fabric.ranks_per_node));
    if (sample.empty()) throw InputError("placement.sample", "a token at least", "none");
    if (!(fabric.inside > Bandwidth(0)) || (fabric.nodes > 1 && !(fabric.outside > Bandwidth(0))))
        throw InputError("placement.fabric", "positive bandwidths", "none");
}

}  // namespace

TokenCost token_cost(double hidden, Seconds compute) {
    return {.dispatch = Bytes(hidden * (1 + 4.0 / 128)), .combine = Bytes(hidden * 2), .compute = compute};
}

ExchangeScore score(const ExpertPlacement& placement, const TokenSample& sample, const TwoLevelFabric& fabric,
                    const TokenCost& cost, SlotChoice choice) {
    check_fits(placement, sample, fabric);
    const SlotRouter router(placement, fabric, choice);
    Traffic outside(fabric.ranks()), inside(fabric.ranks());
    std::vector<double> tokens_of(std::size_t(fabric.ranks()));
    ExchangeScore result;
    for (std::size_t token = 0; token < sample.size(); ++token) {
        const int source = int(token % std::size_t(fabric.ranks())), home = fabric.node_of(source);
        std::set<int> ranks, nodes;
        for (const int expert : sample[token]) {
            const int rank = router.rank_for(token, expert, home);
            ++tokens_of[std::size_t(rank)];
            ranks.insert(rank);
            nodes.insert(fabric.node_of(rank));
        }
        result.nodes_of_a_token += double(nodes.size());
        for (const int node : nodes) {
            const int entry = node * fabric.ranks_per_node + source % fabric.ranks_per_node;
            if (node != home) outside.copy(source, entry);
            for (const int rank : ranks)
                if (fabric.node_of(rank) == node && rank != entry) inside.copy(entry, rank);
        }
    }
    const double tokens = double(sample.size());
    double crossings = 0, pairs = 0;
    for (const double copies : outside.sent) crossings += copies;
    for (const double of_rank : tokens_of) pairs += of_rank;
    result.nodes_of_a_token /= tokens;
    result.crossings = crossings / tokens;
    result.cross_node = (cost.dispatch + cost.combine) * result.crossings;
    result.busiest_rank = *std::ranges::max_element(tokens_of);
    result.mean_rank = pairs / fabric.ranks();
    result.straggler = cost.compute * result.busiest_rank;
    result.outside = outside.busiest(cost, fabric.outside);
    result.inside = inside.busiest(cost, fabric.inside);
    return result;
}

}  // namespace strata
