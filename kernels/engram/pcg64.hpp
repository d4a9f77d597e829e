// The random numbers of numpy.random.default_rng(seed): PCG64 (XSL-RR 128/64, O'Neill 2014) seeded by SeedSequence.
// Released Engram hashes draw their multipliers from it, so the very same bits are needed here.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/engram/uint128.hpp"

namespace strata {

// numpy's SeedSequence for a seed of up to 64 bits: eight words of 32 bits.
class SeedSequence {
public:
    explicit SeedSequence(std::uint64_t seed) {
        const std::array<std::uint32_t, 4> entropy{std::uint32_t(seed), std::uint32_t(seed >> 32), 0, 0};
        std::uint32_t constant = 0x43B0D7E5;
        const auto hashed = [&constant](std::uint32_t value) {
            value ^= constant;
            constant *= 0x931E8875;
            value *= constant;
            return value ^ (value >> 16);
        };
        for (std::size_t i = 0; i < pool_.size(); ++i) pool_[i] = hashed(entropy[i]);
        for (std::size_t from = 0; from < pool_.size(); ++from)
            for (std::size_t to = 0; to < pool_.size(); ++to) {
                if (from == to) continue;
                const std::uint32_t mixed = 0xCA01F9DD * pool_[to] - 0x4973F715 * hashed(pool_[from]);
                pool_[to] = mixed ^ (mixed >> 16);
            }
    }

    // generate_state(4, uint64)
    std::array<std::uint64_t, 4> state() const {
        std::uint32_t constant = 0x8B51F9DD;
        std::array<std::uint64_t, 4> words{};
        for (std::size_t i = 0; i < 8; ++i) {
            std::uint32_t value = pool_[i % pool_.size()] ^ constant;
            constant *= 0x58F38DED;
            value *= constant;
            value ^= value >> 16;
            words[i / 2] |= std::uint64_t(value) << (i % 2 * 32);
        }
        return words;
    }

private:
    std::array<std::uint32_t, 4> pool_{};
};

class Pcg64 {
public:
    explicit Pcg64(std::uint64_t seed) {
        const auto words = SeedSequence(seed).state();
        increment_ = (wide(words[2], words[3]) << 1) | 1;
        step();
        state_ += wide(words[0], words[1]);
        step();
    }

    std::uint64_t next() {
        step();
        const auto folded = std::uint64_t(state_ >> 64) ^ std::uint64_t(state_);
        const auto turn = unsigned(state_ >> 122);
        return (folded >> turn) | (folded << ((64 - turn) & 63));
    }

    // Generator.integers(0, high, dtype=int64): Lemire's multiplication with rejection. numpy draws ranges of at most
    // 2^32 from halves of a word; those are refused, for no hash needs them.
    std::int64_t below(std::int64_t high) {
        if (high <= std::int64_t(1) << 32)
            throw std::invalid_argument("Pcg64::below: expected a range above 2^32, found " + std::to_string(high));
        const auto range = std::uint64_t(high);
        const std::uint64_t threshold = (std::numeric_limits<std::uint64_t>::max() - (range - 1)) % range;
        Uint128 product;
        do product = static_cast<Uint128>(next()) * range;
        while (std::uint64_t(product) < threshold);
        return std::int64_t(product >> 64);
    }

private:
    static Uint128 wide(std::uint64_t high, std::uint64_t low) { return (static_cast<Uint128>(high) << 64) | low; }
    void step() { state_ = state_ * wide(0x2360ED051FC65DA4, 0x4385DF649FCCF645) + increment_; }

    Uint128 state_ = 0;
    Uint128 increment_ = 0;
};

}  // namespace strata
