#include "kernels/mhc/mhc_gates.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <utility>

#include "kernels/mhc/mhc_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

std::array<double, 16> logits(std::uint64_t seed, double deviation) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> values(0, deviation);
    std::array<double, 16> all;
    for (double& one : all) one = float(values(random));
    return all;
}

// Sinkhorn without eps is exp(A + f_i + g_j), where f and g in turn make the rows and the columns sum to one.
std::array<double, 16> by_potentials(const std::array<double, 16>& a, int iterations) {
    std::array<double, 4> f{}, g{};
    for (int iteration = 0; iteration < iterations; ++iteration) {
        for (int i = 0; i < 4; ++i) {
            double sum = 0;
            for (int j = 0; j < 4; ++j) sum += std::exp(a[i * 4 + j] + g[j]);
            f[i] = -std::log(sum);
        }
        for (int j = 0; j < 4; ++j) {
            double sum = 0;
            for (int i = 0; i < 4; ++i) sum += std::exp(a[i * 4 + j] + f[i]);
            g[j] = -std::log(sum);
        }
    }
    std::array<double, 16> m;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) m[i * 4 + j] = std::exp(a[i * 4 + j] + f[i] + g[j]);
    return m;
}

TEST(SinkhornReference, is_that_of_potentials_where_eps_is_nothing) {
    for (const int iterations : {1, 2, 20}) {
        const auto a = logits(std::uint64_t(iterations), 2);
        const auto is = reference::sinkhorn(a, iterations, 0), should = by_potentials(a, iterations);
        for (int i = 0; i < 16; ++i) EXPECT_NEAR(is[i], should[i], 1e-12);
    }
}

// All alike: softmax gives 1/4 and eps makes it 0.250001; a column of them, 1.000004, is divided by 1.000005:
// 0.249999750..., of which four are 1 - 1e-6 (to a millionth of it). More iterations keep that: x / (4 x + 1e-6) with
// 4 x near 1 is a quarter of 1 - 1e-6.
TEST(SinkhornReference, leaves_sums_below_one_by_eps) {
    for (const int iterations : {1, 20}) {
        const auto is = reference::sinkhorn({}, iterations, 1e-6);
        for (int column = 0; column < 4; ++column) EXPECT_NEAR(4 * is[column], 1 - 1e-6, 1e-11);
    }
}

// As kernels call it: a warp has eight matrices, of which each is here the same. Every one must come out alike.
std::array<float, 16> by_lanes(const std::array<double, 16>& a, int iterations) {
    std::array<float, 16> m{};
    emulate({.threads = 32}, ThreadOrder::shuffled, [&](EmulatedThread& t) {
        const std::size_t first = std::size_t(t.lane() % 4) * 4;
        Pack<float> row;
        for (std::size_t j = 0; j < 4; ++j) row.at[j] = float(a[first + j]);
        sinkhorn(t, row, iterations, 1e-6f);
        for (std::size_t j = 0; j < 4; ++j) {
            const float before = std::exchange(m[first + j], row.at[j]);
            EXPECT_TRUE(before == 0 || before == row.at[j]) << before << " " << row.at[j];
        }
    });
    return m;
}

TEST(Sinkhorn, matches_the_reference) {
    for (std::uint64_t seed = 0; seed < 200; ++seed)
        for (const int iterations : {1, 10, 20}) {
            const auto a = logits(seed, seed % 2 ? 1 : 5);
            const auto m = by_lanes(a, iterations);
            const auto should = reference::sinkhorn(a, iterations, 1e-6);
            for (int i = 0; i < 16; ++i) EXPECT_NEAR(m[i], should[i], 1e-8 + 1e-5 * should[i]);  // torch.allclose
        }
}

// Columns, which come last, sum to 1 - 1e-6 whatever the logits; rows to one where twenty iterations are enough.
TEST(Sinkhorn, is_doubly_stochastic_but_for_eps) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto m = by_lanes(logits(seed, 1), 20);
        for (int i = 0; i < 4; ++i) {
            EXPECT_NEAR(double(m[i]) + m[i + 4] + m[i + 8] + m[i + 12], 1 - 1e-6, 3e-7);
            EXPECT_NEAR(double(m[i * 4]) + m[i * 4 + 1] + m[i * 4 + 2] + m[i * 4 + 3], 1, 1e-4);
        }
    }
}

// Two streams that must not mix with the others: logits of +-40 make a permutation, with no infinity on the way.
TEST(Sinkhorn, takes_logits_far_apart) {
    std::array<double, 16> a;
    for (int i = 0; i < 16; ++i) a[i] = i / 4 == (i % 4 + 1) % 4 ? 40 : -40;
    const auto m = by_lanes(a, 20);
    for (int i = 0; i < 16; ++i) EXPECT_NEAR(m[i], i / 4 == (i % 4 + 1) % 4 ? 1 : 0, 1e-5);
}

}  // namespace
}  // namespace strata
