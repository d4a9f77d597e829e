// What an Engram hash is made of, computed on the host as the released code does (arXiv 2601.07372; facts v4.md 1.6b):
// odd multipliers of a layer, and a prime of its own for every (layer, order, head).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/engram/pcg64.hpp"
#include "kernels/engram/prime_modulus.hpp"

namespace strata {

inline constexpr int kEngramHeads = 8;   // of an order, in every published configuration
inline constexpr int kEngramOrders = 3;  // at most: n-grams of 2, 3 and 4 tokens

// One layer's hash as the kernel reads it, in device memory. Slot = order * 8 + head.
struct EngramHashLayer {
    std::int64_t multipliers[kEngramOrders + 1];
    PrimeModulus moduli[kEngramOrders * kEngramHeads];
    std::int32_t offsets[kEngramOrders * kEngramHeads];  // where the slot's rows begin in the layer's table
    std::int64_t rows;                                   // of the layer's table
};

struct EngramHashConfig {
    std::vector<int> layers{1, 14};     // 0-based ids, as in the model
    std::int64_t buckets = 16'000'000;  // primes are searched from here
    std::int64_t compressed_vocab = 99'092;
    int orders = 3;  // 2-grams up to (orders + 1)-grams
    std::uint64_t seed = 0;
};

inline bool is_prime(std::int64_t x) {
    if (x < 4) return x > 1;
    if (x % 2 == 0) return false;
    for (std::int64_t divisor = 3; divisor * divisor <= x; divisor += 2)
        if (x % divisor == 0) return false;
    return true;
}

// m_k = 2 r_k + 1 with r_k uniform below half of what keeps id * m_k in 63 bits.
inline std::vector<std::int64_t> engram_multipliers(const EngramHashConfig& config, int layer) {
    const std::int64_t bound = std::numeric_limits<std::int64_t>::max() / config.compressed_vocab / 2;
    Pcg64 random(config.seed + 10007ull * std::uint64_t(layer));
    std::vector<std::int64_t> multipliers;
    for (int i = 0; i <= config.orders; ++i) multipliers.push_back(2 * random.below(bound) + 1);
    return multipliers;
}

inline std::vector<EngramHashLayer> engram_hash_layers(const EngramHashConfig& config) {
    if (config.orders < 1 || config.orders > kEngramOrders)
        throw std::invalid_argument("engram hash: expected 1 to 3 orders, found " + std::to_string(config.orders));
    if (config.buckets < 2 || config.compressed_vocab < 1)
        throw std::invalid_argument("engram hash: expected at least 2 buckets and a vocabulary of 1");
    std::vector<EngramHashLayer> layers;
    std::int64_t prime = config.buckets - 1;  // ascending over all layers, so none is used twice
    for (const int id : config.layers) {
        EngramHashLayer layer{};
        const auto multipliers = engram_multipliers(config, id);
        std::copy(multipliers.begin(), multipliers.end(), layer.multipliers);
        for (int slot = 0; slot < config.orders * kEngramHeads; ++slot) {
            do ++prime;
            while (!is_prime(prime));
            layer.moduli[slot] = prime_modulus(prime);
            layer.offsets[slot] = std::int32_t(layer.rows);
            layer.rows += prime;
        }
        if (layer.rows > std::numeric_limits<std::int32_t>::max())
            throw std::invalid_argument("engram hash: " + std::to_string(layer.rows) +
                                        " rows a layer; expected fewer than 2^31, for row ids are 32-bit");
        layers.push_back(layer);
    }
    return layers;
}

}  // namespace strata
