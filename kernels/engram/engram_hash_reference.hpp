// The definition of the Engram hash, one sequence at a time, with plain `%`:
//   mix_n = XOR over k < n of c(t - k) * multiplier_k;   row(n, head) = mix_n mod prime(n, head) + offset(n, head)
// c is the compressed token. Looking back stops at the start of the sequence and at a token that is dead (of an image),
// pad or not in the vocabulary: that slot and all before it take the compressed pad id. A token that is itself dead or
// not in the vocabulary has no rows (-1).
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/engram/hash_parameters.hpp"

namespace strata::reference {

// `tokens` from the start of the sequence, -1 where dead; ids are [token][orders * 8].
inline std::vector<std::int32_t> engram_hash(const std::vector<std::int32_t>& tokens,
                                             const std::vector<std::int32_t>& compressed, std::int32_t pad,
                                             const EngramHashLayer& layer, int orders) {
    const auto known = [&](std::int32_t token) { return token >= 0 && token < std::int64_t(compressed.size()); };
    std::vector<std::int32_t> ids;
    for (std::int64_t t = 0; t < std::int64_t(tokens.size()); ++t) {
        std::int64_t mix = 0;
        bool cut = false;
        for (int k = 0; k <= orders; ++k) {
            cut = cut || t - k < 0 || !known(tokens[std::size_t(t - k)]) || tokens[std::size_t(t - k)] == pad;
            const std::int32_t token = cut ? pad : tokens[std::size_t(t - k)];
            mix ^= compressed[std::size_t(token)] * layer.multipliers[k];
            for (int head = 0; head < kEngramHeads && k > 0; ++head) {
                const int slot = (k - 1) * kEngramHeads + head;
                ids.push_back(known(tokens[std::size_t(t)])
                                  ? std::int32_t(mix % layer.moduli[slot].prime) + layer.offsets[slot]
                                  : -1);
            }
        }
    }
    return ids;
}

}  // namespace strata::reference
