#include "kernels/attention/full_attention.hpp"

#include <gtest/gtest.h>

#include "kernels/attention/full_attention_reference.hpp"

namespace strata {
namespace {

TEST(FullAttention, of_one_key_is_its_value_whatever_the_score) {
    EXPECT_EQ(reference::full_attention({1e3, -7}, {2, 3}, {4, 5, 6}, 0.5), (std::vector<double>{4, 5, 6}));
}

TEST(FullAttention, weighs_values_by_the_exponential_of_scaled_scores) {
    // Scores 2 log 3 and 0 scaled by a half: weights 3/4 and 1/4.
    const auto out = reference::full_attention({1}, {2 * std::log(3.0), 0}, {8, 4}, 0.5);
    EXPECT_NEAR(out[0], 0.75 * 8 + 0.25 * 4, 1e-12);
}

TEST(FullAttention, survives_scores_beyond_what_an_exponential_holds) {
    const auto out = reference::full_attention({1}, {5000, 5000, -5000}, {1, 3, 100}, 1);
    EXPECT_DOUBLE_EQ(out[0], 2);
}

TEST(FullAttention, counts_each_tensor_once_and_both_products) {
    const Work work =
        FullAttention{.batch = 2, .heads = 3, .queries = 5, .keys = 7, .key_dim = 4, .value_dim = 2}.work();
    EXPECT_DOUBLE_EQ(work.flops.si(), 2 * 6 * 5 * 7 * (4 + 2));
    EXPECT_DOUBLE_EQ(work.read.si(), 6 * (5 * 4 + 7 * 6) * 2);
    EXPECT_DOUBLE_EQ(work.written.si(), 6 * 5 * 2 * 2);
}

}  // namespace
}  // namespace strata
