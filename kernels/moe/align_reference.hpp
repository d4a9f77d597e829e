// The definition of the order by expert.
#pragma once

#include <cstdint>
#include <vector>

namespace strata::reference {

struct Alignment {
    std::vector<std::int32_t> counts;          // [experts]
    std::vector<std::int32_t> offsets;         // [experts + 1], multiples of the tile
    std::vector<std::int32_t> pair_of_slot;    // [slots], -1 in padding
    std::vector<std::int32_t> slot_of_pair;    // [pairs], -1 for a pair whose expert is not here
    std::vector<std::int32_t> expert_of_tile;  // [slots / tile], -1 beyond the last expert
};

inline Alignment align(const std::vector<std::int32_t>& expert_of_pair, int first_expert, int experts, int tile,
                       long slots) {
    Alignment out{.counts = std::vector<std::int32_t>(std::size_t(experts)),
                  .offsets = {0},
                  .pair_of_slot = std::vector<std::int32_t>(std::size_t(slots), -1),
                  .slot_of_pair = std::vector<std::int32_t>(expert_of_pair.size(), -1),
                  .expert_of_tile = std::vector<std::int32_t>(std::size_t(slots / tile), -1)};
    for (int expert = 0; expert < experts; ++expert) {
        std::int32_t slot = out.offsets.back();
        for (std::size_t pair = 0; pair < expert_of_pair.size(); ++pair)
            if (expert_of_pair[pair] == first_expert + expert) {
                out.pair_of_slot[std::size_t(slot)] = std::int32_t(pair);
                out.slot_of_pair[pair] = slot++;
            }
        out.counts[std::size_t(expert)] = slot - out.offsets.back();
        const std::int32_t end = (slot + tile - 1) / tile * tile;
        for (std::int32_t at = out.offsets.back() / tile; at < end / tile; ++at)
            out.expert_of_tile[std::size_t(at)] = expert;
        out.offsets.push_back(end);
    }
    return out;
}

}  // namespace strata::reference
