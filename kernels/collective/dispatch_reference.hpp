// The definition of dispatch: experts are spread over ranks in blocks (rank = expert / experts a rank). A token is sent
// once to each rank that holds one of its experts; rows stand by rank, tokens ascending within one.
#pragma once

#include <cstdint>
#include <vector>

namespace strata::reference {

struct Dispatch {
    std::vector<std::int32_t> expert_counts;  // [experts]
    std::vector<std::int32_t> rank_offsets;   // [ranks + 1]
    std::vector<std::int32_t> token_of_row;
    std::vector<std::int32_t> row_of_pair;  // [tokens][k], -1 where an earlier pair of the token has the row
};

inline Dispatch dispatch(const std::vector<std::int32_t>& expert_of_pair, int k, int experts, int ranks) {
    const int a_rank = experts / ranks;
    const std::size_t tokens = expert_of_pair.size() / std::size_t(k);
    Dispatch out{.expert_counts = std::vector<std::int32_t>(std::size_t(experts)),
                 .rank_offsets = {0},
                 .token_of_row = {},
                 .row_of_pair = std::vector<std::int32_t>(expert_of_pair.size(), -1)};
    for (const std::int32_t expert : expert_of_pair)
        if (expert >= 0 && expert < experts) ++out.expert_counts[std::size_t(expert)];
    for (int rank = 0; rank < ranks; ++rank) {
        for (std::size_t token = 0; token < tokens; ++token)
            for (std::size_t pair = token * std::size_t(k); pair < (token + 1) * std::size_t(k); ++pair) {
                const std::int32_t expert = expert_of_pair[pair];
                if (expert < 0 || expert >= experts || expert / a_rank != rank) continue;
                out.row_of_pair[pair] = std::int32_t(out.token_of_row.size());
                out.token_of_row.push_back(std::int32_t(token));
                break;
            }
        out.rank_offsets.push_back(std::int32_t(out.token_of_row.size()));
    }
    return out;
}

}  // namespace strata::reference
