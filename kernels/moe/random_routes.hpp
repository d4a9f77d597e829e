// Routing for benches: every token picks k different experts, each equally likely.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace strata {

// [tokens][k]; about one token in `dead_one_in` goes nowhere (0: none).
inline std::vector<std::int32_t> random_routes(long tokens, int k, int experts, std::uint64_t seed,
                                               int dead_one_in = 0) {
    std::mt19937_64 random(seed);
    std::vector<std::int32_t> routes(std::size_t(tokens * k), -1);
    for (auto token = routes.begin(); token != routes.end(); token += k) {
        if (dead_one_in > 0 && random() % std::uint64_t(dead_one_in) == 0) continue;
        for (auto pair = token; pair != token + k; ++pair) do
                *pair = std::int32_t(random() % std::uint64_t(experts));
            while (std::find(token, pair, *pair) != pair);
    }
    return routes;
}

}  // namespace strata
