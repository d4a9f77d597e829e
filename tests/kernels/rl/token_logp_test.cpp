#include "kernels/rl/token_logp_body.hpp"

#include <gtest/gtest.h>

#include "kernels/rl/grpo_reference.hpp"
#include "kernels/simt/emulator.hpp"
#include "tests/kernels/rl/logits.hpp"

namespace strata {
namespace {

struct Forward {
    std::vector<float> logp, log2_sum;
    int error = 0;
};

template <class T>
Forward forward(const RandomLogits<T>& logits, const std::vector<int>& taken, float temperature, ThreadOrder order,
                const std::vector<std::uint8_t>& counted = {}) {
    Forward out{std::vector<float>(taken.size(), -7), std::vector<float>(taken.size(), -7)};
    const TokenLogpTask<T> task{.logits = logits.at.data(),
                                .taken = taken.data(),
                                .counted = counted.empty() ? nullptr : counted.data(),
                                .logp = out.logp.data(),
                                .log2_sum = out.log2_sum.data(),
                                .error = &out.error,
                                .tokens = long(taken.size()),
                                .vocabulary = logits.vocabulary,
                                .temperature = temperature};
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { token_logp(t, task); });
    return out;
}

template <class T>
std::vector<T> backward(const RandomLogits<T>& logits, const std::vector<int>& taken, const Forward& from,
                        const std::vector<float>& slope, float temperature, ThreadOrder order, bool in_place = false) {
    std::vector<T> gradient = in_place ? logits.at : std::vector<T>(logits.at.size(), from_float<T>(-7));
    const TokenLogpGradientTask<T> task{.logits = in_place ? gradient.data() : logits.at.data(),
                                        .taken = taken.data(),
                                        .log2_sum = from.log2_sum.data(),
                                        .slope = slope.data(),
                                        .gradient = gradient.data(),
                                        .tokens = long(taken.size()),
                                        .vocabulary = logits.vocabulary,
                                        .temperature = temperature};
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { token_logp_gradient(t, task); });
    return gradient;
}

template <class T>
class TokenLogp : public testing::Test {};
using ElementTypes = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(TokenLogp, ElementTypes);

// Rows of more than one step, of one thread's worth, and such that begin off a 16-byte boundary.
TYPED_TEST(TokenLogp, matches_the_reference_in_every_thread_order) {
    for (const long vocabulary : {1L, 5L, 24L, 8720L, 9001L}) {
        const RandomLogits<TypeParam> logits(3, vocabulary, 11);
        const std::vector<int> taken{0, int(vocabulary / 2), int(vocabulary - 1)};
        for (const ThreadOrder order : kThreadOrders) {
            const Forward is = forward(logits, taken, 0.7f, order);
            EXPECT_EQ(is.error, 0);
            for (long row = 0; row < 3; ++row) {
                const double should = reference::token_logp(logits.row(row), taken[std::size_t(row)], double(0.7f));
                EXPECT_NEAR(is.logp[std::size_t(row)], should, 1e-5) << vocabulary;
            }
        }
    }
}

TYPED_TEST(TokenLogp, gradient_matches_the_reference_in_every_thread_order) {
    for (const long vocabulary : {5L, 8720L, 9001L}) {
        const RandomLogits<TypeParam> logits(2, vocabulary, 12);
        const std::vector<int> taken{int(vocabulary - 1), 2};
        const std::vector<float> slope{-0.5f, 3.0f};
        const Forward from = forward(logits, taken, 1.3f, ThreadOrder::forward);
        for (const ThreadOrder order : kThreadOrders) {
            const auto is = backward(logits, taken, from, slope, 1.3f, order);
            for (long row = 0; row < 2; ++row) {
                const auto should = reference::token_logp_gradient(logits.row(row), taken[std::size_t(row)],
                                                                   double(1.3f), slope[std::size_t(row)]);
                for (std::size_t v = 0; v < should.size(); ++v)
                    ASSERT_NEAR(to_float(is[std::size_t(row * vocabulary) + v]), should[v],
                                1e-7 + std::abs(should[v]) * (sizeof(TypeParam) == 2 ? 0.005 : 2e-5));
            }
        }
    }
}

TYPED_TEST(TokenLogp, gradient_in_place_is_the_same) {
    const RandomLogits<TypeParam> logits(2, 8720, 13);
    const std::vector<int> taken{7, 8719};
    const std::vector<float> slope{1.0f, -2.0f};
    const Forward from = forward(logits, taken, 1, ThreadOrder::forward);
    const auto apart = backward(logits, taken, from, slope, 1, ThreadOrder::forward);
    const auto in_place = backward(logits, taken, from, slope, 1, ThreadOrder::shuffled, true);
    for (std::size_t i = 0; i < apart.size(); ++i) ASSERT_EQ(to_float(apart[i]), to_float(in_place[i]));
}

// Four equal logits: log p is -log 4 and the gradient of the taken one 3/4, of the others -1/4.
TEST(TokenLogpByHand, of_equal_logits) {
    RandomLogits<float> logits(1, 4, 1);
    for (long v = 0; v < 4; ++v) logits.set(0, v, 5);
    const Forward from = forward(logits, {1}, 1, ThreadOrder::forward);
    EXPECT_NEAR(from.logp[0], -std::log(4.0), 1e-6);
    const auto gradient = backward(logits, {1}, from, {1.0f}, 1, ThreadOrder::forward);
    EXPECT_NEAR(gradient[1], 0.75, 1e-6);
    EXPECT_NEAR(gradient[3], -0.25, 1e-6);
}

TEST(TokenLogpByHand, large_logits_do_not_overflow_and_a_mask_of_minus_infinity_weighs_nothing) {
    RandomLogits<float> logits(1, 9000, 2);
    for (long v = 0; v < 9000; ++v) logits.set(0, v, -INFINITY);
    logits.set(0, 4500, 3e4f), logits.set(0, 8999, 3e4f);
    const Forward from = forward(logits, {8999}, 1, ThreadOrder::reversed);
    EXPECT_NEAR(from.logp[0], -std::log(2.0), 1e-6);
    const auto gradient = backward(logits, {8999}, from, {1.0f}, 1, ThreadOrder::forward);
    EXPECT_EQ(gradient[0], 0);
    EXPECT_NEAR(gradient[4500], -0.5, 2e-3);  // log2_sum of 43281 has steps of 1/256
}

TEST(TokenLogpByHand, a_nan_or_an_infinity_stays_seen) {
    for (const float bad : {NAN, INFINITY}) {
        RandomLogits<float> logits(2, 5000, 3);
        logits.set(0, 4999, bad);
        const Forward is = forward(logits, {0, 0}, 1, ThreadOrder::forward);
        EXPECT_TRUE(std::isnan(is.logp[0]));
        EXPECT_FALSE(std::isnan(is.logp[1]));
    }
}

TEST(TokenLogpByHand, a_token_outside_the_vocabulary_raises_the_error_and_reads_nothing) {
    const RandomLogits<Bf16> logits(3, 16, 4);
    for (const int outside : {-1, 16, INT32_MIN, INT32_MAX}) {
        const std::vector<int> taken{3, outside, 5};
        const Forward is = forward(logits, taken, 1, ThreadOrder::forward);
        EXPECT_EQ(is.error, kTakenOutOfRange);
        EXPECT_TRUE(std::isnan(is.logp[1]));
        EXPECT_FALSE(std::isnan(is.logp[0]) || std::isnan(is.logp[2]));
        backward(logits, taken, is, {1.0f, 1.0f, 1.0f}, 1, ThreadOrder::forward);
    }
}

TEST(TokenLogpByHand, what_does_not_count_is_not_read) {
    RandomLogits<float> logits(2, 64, 5);
    logits.set(0, 3, NAN);
    const Forward is = forward(logits, {-100, 1}, 1, ThreadOrder::forward, {0, 1});
    EXPECT_EQ(is.error, 0);
    EXPECT_EQ(is.logp[0], 0);
    EXPECT_LT(is.logp[1], 0);
    const auto gradient = backward(logits, {-100, 1}, is, {0.0f, 1.0f}, 1, ThreadOrder::forward);
    for (std::size_t v = 0; v < 64; ++v) EXPECT_EQ(gradient[v], 0);
}

TEST(TokenLogpByHand, the_slopes_weight_multiplies) {
    const RandomLogits<float> logits(1, 8, 6);
    const int taken = 2;
    const Forward from = forward(logits, {taken}, 1, ThreadOrder::forward);
    const float slope = 2, weight = 0.25f;
    std::vector<float> is(8);
    const TokenLogpGradientTask<float> task{.logits = logits.at.data(),
                                            .taken = &taken,
                                            .log2_sum = from.log2_sum.data(),
                                            .slope = &slope,
                                            .weight = &weight,
                                            .gradient = is.data(),
                                            .tokens = 1,
                                            .vocabulary = 8};
    emulate(grid_of(task), ThreadOrder::forward, [&](EmulatedThread& t) { token_logp_gradient(t, task); });
    const auto should = reference::token_logp_gradient(logits.row(0), taken, 1, 0.5);
    for (std::size_t v = 0; v < 8; ++v) EXPECT_NEAR(is[v], should[v], 1e-6);
}

TEST(TokenLogpByHand, the_references_gradient_is_that_of_finite_differences) {
    const RandomLogits<float> logits(1, 12, 7);
    const auto gradient = reference::token_logp_gradient(logits.row(0), 4, 0.8, 1.5);
    for (std::size_t v = 0; v < 12; ++v) {
        const double step = 1e-5;
        auto up = logits.row(0), down = up;
        up[v] += step, down[v] -= step;
        EXPECT_NEAR(gradient[v],
                    1.5 * (reference::token_logp(up, 4, 0.8) - reference::token_logp(down, 4, 0.8)) / (2 * step), 1e-9);
    }
}

TEST(TokenLogpByHand, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(TokenLogpTask<float>{.tokens = 1, .vocabulary = 0}), std::invalid_argument);
    EXPECT_THROW(require_valid(TokenLogpTask<float>{.tokens = 1, .vocabulary = 8}), std::invalid_argument);
    EXPECT_THROW(require_valid(TokenLogpTask<float>{.vocabulary = 8, .temperature = 0}), std::invalid_argument);
    EXPECT_THROW(require_valid(TokenLogpGradientTask<float>{.tokens = 1L << 30, .vocabulary = 1 << 20}),
                 std::invalid_argument);
    EXPECT_NO_THROW(require_valid(TokenLogpTask<float>{.vocabulary = 8}));
}

}  // namespace
}  // namespace strata
