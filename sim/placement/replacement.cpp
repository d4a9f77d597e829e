#include "sim/placement/replacement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

// How many slots of two lists of experts can stay as they are.
int shared(std::vector<int> a, std::vector<int> b) {
    std::ranges::sort(a);
    std::ranges::sort(b);
    std::vector<int> both;
    std::ranges::set_intersection(a, b, std::back_inserter(both));
    return int(both.size());
}

std::vector<int> slots_of(const ExpertPlacement& placement, int rank, int ranks) {
    const auto first = placement.expert_of_slot.begin() + long(rank) * placement.slots_per_rank();
    return {first, first + long(ranks) * placement.slots_per_rank()};
}

// For each old list the new one that takes its name: the pair that shares most first, of equal ones the lowest.
std::vector<std::size_t> matched(const std::vector<std::vector<int>>& old_lists,
                                 const std::vector<std::vector<int>>& new_lists) {
    struct Pair {
        int shares;
        std::size_t old_one, new_one;
    };
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < old_lists.size(); ++i)
        for (std::size_t j = 0; j < new_lists.size(); ++j) pairs.push_back({shared(old_lists[i], new_lists[j]), i, j});
    std::ranges::stable_sort(pairs, std::greater<>(), &Pair::shares);
    const std::size_t none = new_lists.size();
    std::vector<std::size_t> new_of(old_lists.size(), none);
    std::vector<bool> taken(new_lists.size());
    for (const Pair& pair : pairs)
        if (new_of[pair.old_one] == none && !taken[pair.new_one]) {
            new_of[pair.old_one] = pair.new_one;
            taken[pair.new_one] = true;
        }
    return new_of;
}

std::vector<std::vector<int>> parts(const ExpertPlacement& placement, int first, int count, int ranks_each) {
    std::vector<std::vector<int>> lists;
    for (int i = 0; i < count; ++i) lists.push_back(slots_of(placement, first + i * ranks_each, ranks_each));
    return lists;
}

// What each rank's links carry while experts move.
struct Links {
    std::vector<Bytes> out, in;
    explicit Links(int ranks) : out(std::size_t(ranks)), in(std::size_t(ranks)) {}
    Seconds busiest(Bandwidth bandwidth) const {
        const Bytes most = std::max(*std::ranges::max_element(out), *std::ranges::max_element(in));
        return most > Bytes(0) ? most / bandwidth : Seconds(0);
    }
};

// A rank that has the expert: in the node of `to` if there is one, and of these the one that has sent least.
int sender(const std::vector<int>& holders, int to, const TwoLevelFabric& fabric, const Links& inside,
           const Links& outside) {
    const auto cost = [&](int rank) {
        const bool far = fabric.node_of(rank) != fabric.node_of(to);
        return std::pair(far, (far ? outside : inside).out[std::size_t(rank)]);
    };
    return *std::ranges::min_element(holders, [&](int a, int b) { return cost(a) < cost(b); });
}

void check_same(const ExpertPlacement& a, const ExpertPlacement& b, const TwoLevelFabric& fabric) {
    if (a.experts != b.experts || a.ranks != b.ranks || a.ranks != fabric.ranks())
        throw InputError("placement",
                         fmt::format("{} experts on {} ranks in both placements and the fabric", a.experts, a.ranks),
                         fmt::format("{} on {}, and {} ranks", b.experts, b.ranks, fabric.ranks()));
}

}  // namespace

Migration migration(const ExpertPlacement& from, const ExpertPlacement& to, Bytes of_expert,
                    const TwoLevelFabric& fabric) {
    check_same(from, to, fabric);
    std::vector<std::vector<int>> holders(std::size_t(from.experts));
    for (std::size_t slot = 0; slot < from.expert_of_slot.size(); ++slot)
        holders[std::size_t(from.expert_of_slot[slot])].push_back(from.rank_of_slot(int(slot)));
    Links inside(from.ranks), outside(from.ranks);
    Migration result;
    for (int rank = 0; rank < to.ranks; ++rank) {
        std::vector<int> had = slots_of(from, rank, 1), needs = slots_of(to, rank, 1), missing;
        for (std::vector<int>* list : {&had, &needs}) {  // a copy beside another on the same rank need not be sent
            std::ranges::sort(*list);
            list->erase(std::unique(list->begin(), list->end()), list->end());
        }
        std::ranges::set_difference(needs, had, std::back_inserter(missing));
        for (const int expert : missing) {
            const int by = sender(holders[std::size_t(expert)], rank, fabric, inside, outside);
            const bool far = fabric.node_of(by) != fabric.node_of(rank);
            Links& links = far ? outside : inside;
            links.out[std::size_t(by)] += of_expert;
            links.in[std::size_t(rank)] += of_expert;
            result.moved += of_expert;
            if (far) result.outside += of_expert;
            ++result.slots;
        }
    }
    result.time = std::max(inside.busiest(fabric.inside), outside.busiest(fabric.outside));
    return result;
}

ExpertPlacement aligned(const ExpertPlacement& to, const ExpertPlacement& from, const TwoLevelFabric& fabric) {
    check_same(from, to, fabric);
    ExpertPlacement result{.experts = to.experts, .ranks = to.ranks};
    const int each = fabric.ranks_per_node;
    const auto new_node = matched(parts(from, 0, fabric.nodes, each), parts(to, 0, fabric.nodes, each));
    for (int node = 0; node < fabric.nodes; ++node) {
        const auto of_new = parts(to, int(new_node[std::size_t(node)]) * each, each, 1);
        for (const std::size_t rank : matched(parts(from, node * each, each, 1), of_new))
            result.expert_of_slot.insert(result.expert_of_slot.end(), of_new[rank].begin(), of_new[rank].end());
    }
    return result;
}

std::optional<double> break_even_steps(Seconds moving, Seconds saved_a_step) {
    if (!(saved_a_step > Seconds(0))) return std::nullopt;
    return moving / saved_a_step;
}

ReplacementOutcome replay(RoutingSource& source, int layer, std::int64_t first, std::int64_t steps,
                          const ReplacementPolicy& policy) {
    if (first < 1 || steps < 1 || policy.period < 0)
        throw InputError("replacement", "a first step and a number of steps from 1, a period from 0",
                         fmt::format("{}, {} and {}", first, steps, policy.period));
    const auto as_weights = [](const std::vector<std::int64_t>& loads) {
        return std::vector<double>(loads.begin(), loads.end());
    };
    ExpertPlacement placement = eplb_placement(as_weights(source.loads(layer, first - 1)), policy.eplb);
    std::vector<double> seen(std::size_t(placement.experts));
    ReplacementOutcome outcome;
    for (std::int64_t step = 0; step < steps; ++step) {
        const std::vector<std::int64_t> loads = source.loads(layer, first + step);
        const std::vector<double> tokens = rank_loads(placement, loads);
        outcome.computing += policy.compute * *std::ranges::max_element(tokens);
        outcome.balanced +=
            policy.compute * (std::accumulate(tokens.begin(), tokens.end(), 0.0) / double(tokens.size()));
        for (std::size_t e = 0; e < seen.size(); ++e) seen[e] += double(loads[e]);
        if (policy.period == 0 || (step + 1) % policy.period != 0 || step + 1 == steps) continue;
        const ExpertPlacement next = aligned(eplb_placement(seen, policy.eplb), placement, policy.fabric);
        const Migration move = migration(placement, next, policy.of_expert, policy.fabric);
        outcome.moving += move.time;
        outcome.moved += move.moved;
        outcome.placements += move.slots > 0;
        placement = next;
        std::ranges::fill(seen, 0);
    }
    return outcome;
}

}  // namespace strata
