#include "kernels/engram/hash_parameters.hpp"

#include <gtest/gtest.h>

#include <random>

namespace strata {
namespace {

// Oracle: numpy 2.4.6, numpy.random.default_rng(seed).bit_generator.random_raw(n).
TEST(Pcg64, gives_the_words_of_numpy) {
    Pcg64 zero(0), layer_one(10007), long_seed((1ull << 40) + 3);
    EXPECT_EQ(zero.next(), 11749869230777074271ull);
    EXPECT_EQ(zero.next(), 4976686463289251617ull);
    EXPECT_EQ(zero.next(), 755828109848996024ull);
    EXPECT_EQ(layer_one.next(), 15187255322829266483ull);
    EXPECT_EQ(long_seed.next(), 14271435802380633900ull);
    EXPECT_EQ(long_seed.next(), 18370326226487632705ull);
}

// Oracle: default_rng(7).integers(0, 3 * 2**61, size=8): a quarter of the words is rejected, so this sees rejection
// too.
TEST(Pcg64, draws_below_a_bound_as_numpy_does) {
    Pcg64 random(7);
    for (const std::int64_t expected :
         {6206502512207226871, 5365828278596935044, 1557877273993399992, 2076408988992585337, 6042831315724521139,
          5680871422486561426, 5513750910437575043, 3236953619344299372})
        EXPECT_EQ(random.below(3ll << 61), expected);
    Pcg64 again(7);
    EXPECT_EQ(again.below((1ll << 32) + 5), 2684764589);
    EXPECT_THROW(again.below(1ll << 32), std::invalid_argument);
}

// Oracle: 2 * default_rng(10007 * layer).integers(0, ((2**63 - 1) // 99092) // 2, size=4, dtype=int64) + 1.
TEST(EngramHashParameters, multipliers_are_those_of_the_released_layers) {
    EXPECT_EQ(engram_multipliers({}, 1),
              (std::vector<std::int64_t>{76632096046245, 4839876093313, 35959672319349, 73987337458391}));
    EXPECT_EQ(engram_multipliers({}, 14),
              (std::vector<std::int64_t>{67716810739261, 51510806800915, 30921347202721, 82619226485591}));
}

// The released engram_num_embeddings (facts v4.md 1.6b).
TEST(EngramHashParameters, primes_add_up_to_the_released_tables) {
    const auto layers = engram_hash_layers({});
    ASSERT_EQ(layers.size(), 2u);
    EXPECT_EQ(layers[0].rows, 384'006'168);
    EXPECT_EQ(layers[1].rows, 384'016'682);
    EXPECT_EQ(layers[0].moduli[0].prime, 16'000'057u);
    EXPECT_EQ(layers[0].moduli[23].prime, 16'000'463u);
    EXPECT_EQ(layers[1].moduli[0].prime, 16'000'477u);
    EXPECT_EQ(layers[1].moduli[23].prime, 16'000'889u);
    EXPECT_EQ(layers[0].offsets[1], 16'000'057);
}

// The paper's demo: 5 * 129,280 buckets, orders 2 and 3, layers 1 and 15.
TEST(EngramHashParameters, primes_of_the_demo) {
    const auto layers =
        engram_hash_layers({.layers = {1, 15}, .buckets = 646'400, .compressed_vocab = 129'280, .orders = 2});
    EXPECT_EQ(layers[0].moduli[0].prime, 646'403u);
    EXPECT_EQ(layers[0].rows, 10'344'164);
    EXPECT_EQ(layers[1].rows, 10'348'242);
}

TEST(EngramHashParameters, refuses_what_has_no_hash) {
    EXPECT_THROW(engram_hash_layers({.orders = 4}), std::invalid_argument);
    EXPECT_THROW(engram_hash_layers({.buckets = 200'000'000}), std::invalid_argument);  // row ids beyond 31 bits
    EXPECT_THROW(prime_modulus(1), std::invalid_argument);
    EXPECT_THROW(prime_modulus(1ll << 31), std::invalid_argument);
}

// The header of prime_modulus.hpp proves it; this looks where an error would be: around multiples of the divisor.
TEST(PrimeModulus, is_the_remainder) {
    std::mt19937_64 random(1);
    std::vector<std::uint64_t> divisors{2, 3, 5, 16'000'057, 16'000'889, (1u << 31) - 1, 1u << 30};
    for (int i = 0; i < 200; ++i) divisors.push_back(2 + random() % ((1ull << 31) - 2));
    for (const std::uint64_t divisor : divisors) {
        const PrimeModulus by = prime_modulus(std::int64_t(divisor));
        const auto check = [&](std::uint64_t x) { ASSERT_EQ(modulo(x, by), x % divisor) << x << " mod " << divisor; };
        for (const std::uint64_t x :
             {std::uint64_t(0), divisor - 1, divisor, ~std::uint64_t(0), std::uint64_t(1) << 63})
            check(x);
        for (int i = 0; i < 1000; ++i) {
            const std::uint64_t x = random() >> (random() % 64), multiple = x - x % divisor;
            check(x), check(multiple), check(multiple - 1), check(multiple + 1);
        }
    }
}

}  // namespace
}  // namespace strata
