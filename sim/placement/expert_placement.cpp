#include "sim/placement/expert_placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "hwmodels/input_error.hpp"
#include "sim/routing/seeded_random.hpp"

namespace strata {

std::vector<std::vector<int>> ExpertPlacement::slots_of_experts() const {
    std::vector<std::vector<int>> slots(static_cast<std::size_t>(experts));
    for (std::size_t slot = 0; slot < expert_of_slot.size(); ++slot)
        slots.at(std::size_t(expert_of_slot[slot])).push_back(int(slot));
    return slots;
}

void ExpertPlacement::check() const {
    if (experts < 1 || ranks < 1)
        throw InputError("placement", "an expert and a rank at least", fmt::format("{} and {}", experts, ranks));
    if (expert_of_slot.empty() || expert_of_slot.size() % std::size_t(ranks) != 0)
        throw InputError("placement", fmt::format("as many slots on each of {} ranks", ranks),
                         fmt::format("{} slots", expert_of_slot.size()));
    std::vector<bool> placed(static_cast<std::size_t>(experts));
    for (const int expert : expert_of_slot) {
        if (expert < 0 || expert >= experts)
            throw InputError("placement", fmt::format("experts from 0 to {}", experts - 1), fmt::format("{}", expert));
        placed[std::size_t(expert)] = true;
    }
    const auto missing = std::ranges::find(placed, false);
    if (missing != placed.end())
        throw InputError("placement", "a slot for every expert",
                         fmt::format("none for expert {}", missing - placed.begin()));
}

int slots_per_rank(int experts, int redundant, int ranks) {
    if (experts < 1 || redundant < 0 || ranks < 1)
        throw InputError("placement", "experts and ranks from 1, redundant experts from 0",
                         fmt::format("{}, {} and {}", experts, ranks, redundant));
    if ((experts + redundant) % ranks != 0)
        throw InputError("placement.experts.redundant",
                         fmt::format("as many slots on each of {} ranks, so for example {}", ranks,
                                     ranks * ((experts + ranks - 1) / ranks) - experts),
                         fmt::format("{} beside {} experts", redundant, experts));
    return (experts + redundant) / ranks;
}

ExpertPlacement linear_placement(int experts, int redundant, int ranks) {
    const int slots = slots_per_rank(experts, redundant, ranks) * ranks;
    ExpertPlacement placement{.experts = experts, .ranks = ranks};
    for (int slot = 0; slot < slots; ++slot) placement.expert_of_slot.push_back(slot % experts);
    return placement;
}

ExpertPlacement random_placement(int experts, int redundant, int ranks, std::uint64_t seed) {
    const ExpertPlacement linear = linear_placement(experts, redundant, ranks);
    ExpertPlacement placement{.experts = experts, .ranks = ranks};
    for (const int slot : SeededRandom(seed).permutation(int(linear.expert_of_slot.size())))
        placement.expert_of_slot.push_back(linear.expert_of_slot[std::size_t(slot)]);
    return placement;
}

std::vector<double> rank_loads(const ExpertPlacement& placement, std::span<const std::int64_t> loads) {
    if (int(loads.size()) != placement.experts) throw std::logic_error("rank_loads: one load for each expert");
    std::vector<int> copies(loads.size());
    for (const int expert : placement.expert_of_slot) ++copies[std::size_t(expert)];
    std::vector<double> tokens(std::size_t(placement.ranks));
    const auto each = std::size_t(placement.slots_per_rank());
    for (std::size_t slot = 0; slot < placement.expert_of_slot.size(); ++slot) {
        const auto expert = std::size_t(placement.expert_of_slot[slot]);
        tokens[slot / each] += double(loads[expert]) / copies[expert];
    }
    return tokens;
}

double straggler_ratio(const ExpertPlacement& placement, std::span<const std::int64_t> loads) {
    const std::vector<double> tokens = rank_loads(placement, loads);
    const double sum = std::accumulate(tokens.begin(), tokens.end(), 0.0);
    return sum > 0 ? *std::ranges::max_element(tokens) * double(tokens.size()) / sum : 1;
}

}  // namespace strata
