#include "sim/placement/eplb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

void check_divides(const char* what, int number, const char* by_what, int by) {
    if (by < 1 || number % by != 0)
        throw InputError("eplb", fmt::format("{} that divide the {} {}", by_what, number, what), fmt::format("{}", by));
}

std::vector<std::vector<int>> items_of_packs(const std::vector<int>& pack_of, int packs,
                                             std::span<const float> weights) {
    std::vector<std::vector<int>> items(static_cast<std::size_t>(packs));
    std::vector<int> order(pack_of.size());
    std::iota(order.begin(), order.end(), 0);
    // Within a pack items stand as they were packed: heaviest first.
    std::ranges::stable_sort(order, std::greater<>(), [&](int item) { return weights[std::size_t(item)]; });
    for (const int item : order) items[std::size_t(pack_of[std::size_t(item)])].push_back(item);
    return items;
}

std::vector<std::vector<int>> packed(std::span<const float> weights, int packs) {
    return items_of_packs(balanced_packing(weights, packs), packs, weights);
}

std::vector<float> gathered(std::span<const float> weights, const std::vector<int>& items) {
    std::vector<float> of_items;
    for (const int item : items) of_items.push_back(weights[std::size_t(item)]);
    return of_items;
}

// Experts of each node: its groups, in the order in which they were packed.
std::vector<std::vector<int>> experts_of_nodes(std::span<const float> weights, int groups, int nodes) {
    const int size = int(weights.size()) / groups;
    std::vector<float> of_group(std::size_t(groups), 0);
    for (std::size_t expert = 0; expert < weights.size(); ++expert)
        of_group[expert / std::size_t(size)] += weights[expert];
    std::vector<std::vector<int>> experts;
    for (const std::vector<int>& of_node : packed(of_group, nodes)) {
        experts.emplace_back();
        for (const int group : of_node)
            for (int i = 0; i < size; ++i) experts.back().push_back(group * size + i);
    }
    return experts;
}

// Experts of the slots of one node, rank by rank.
std::vector<int> slots_of_node(std::span<const float> weights, const std::vector<int>& experts, int slots, int ranks) {
    const std::vector<float> own = gathered(weights, experts);
    const std::vector<int> copies = replicated_experts(own, slots);
    std::vector<float> of_slot;
    for (const int item : copies) of_slot.push_back(own[std::size_t(item)] / float(std::ranges::count(copies, item)));
    std::vector<int> placed;
    for (const std::vector<int>& of_rank : packed(of_slot, ranks))
        for (const int slot : of_rank) placed.push_back(experts[std::size_t(copies[std::size_t(slot)])]);
    return placed;
}

}  // namespace

std::vector<int> balanced_packing(std::span<const float> weights, int packs) {
    const std::size_t room = weights.size() / std::size_t(packs);
    if (room * std::size_t(packs) != weights.size())
        throw std::logic_error("balanced_packing: packs must divide items");
    std::vector<int> order(weights.size()), pack_of(weights.size());
    std::iota(order.begin(), order.end(), 0);
    if (room == 1) return order;  // nothing to choose
    std::ranges::stable_sort(order, std::greater<>(), [&](int item) { return weights[std::size_t(item)]; });
    std::vector<float> load(std::size_t(packs), 0);
    std::vector<std::size_t> items(std::size_t(packs), 0);
    for (const int item : order) {
        std::size_t lightest = load.size();
        for (std::size_t pack = 0; pack < load.size(); ++pack)
            if (items[pack] < room && (lightest == load.size() || load[pack] < load[lightest])) lightest = pack;
        pack_of[std::size_t(item)] = int(lightest);
        load[lightest] += weights[std::size_t(item)];
        ++items[lightest];
    }
    return pack_of;
}

std::vector<int> replicated_experts(std::span<const float> weights, int count) {
    std::vector<int> slots(weights.size());
    std::iota(slots.begin(), slots.end(), 0);
    std::vector<float> copies(weights.size(), 1);
    while (int(slots.size()) < count) {
        std::size_t busiest = 0;
        for (std::size_t expert = 1; expert < weights.size(); ++expert)
            if (weights[expert] / copies[expert] > weights[busiest] / copies[busiest]) busiest = expert;
        slots.push_back(int(busiest));
        ++copies[busiest];
    }
    return slots;
}

ExpertPlacement eplb_placement(std::span<const double> weights, const EplbSpec& spec) {
    const int experts = int(weights.size());
    const int slots = slots_per_rank(experts, spec.redundant, spec.ranks) * spec.ranks;
    check_divides("experts", experts, "groups", spec.groups);
    check_divides("ranks", spec.ranks, "nodes", spec.nodes);
    const bool hierarchical = spec.groups % spec.nodes == 0;
    const int groups = hierarchical ? spec.groups : 1, nodes = hierarchical ? spec.nodes : 1;
    const std::vector<float> single(weights.begin(), weights.end());
    ExpertPlacement placement{.experts = experts, .ranks = spec.ranks};
    for (const std::vector<int>& of_node : experts_of_nodes(single, groups, nodes))
        for (const int expert : slots_of_node(single, of_node, slots / nodes, spec.ranks / nodes))
            placement.expert_of_slot.push_back(expert);
    return placement;
}

}  // namespace strata
