#include "kernels/mtp/mtp_products.hpp"

#include <gtest/gtest.h>

#include "kernels/gemm/product_reference.hpp"

namespace strata {
namespace {

TEST(ProductReference, is_a_dot_product_for_each_row_of_weights) {
    EXPECT_EQ(reference::product({1, 2, 3}, {1, 0, 0, 0, 1, -1, 2, 2, 2}), (std::vector<double>{1, -1, 12}));
    EXPECT_TRUE(reference::product({}, {}).empty());
}

TEST(MtpHead, reads_the_vocabulary_once_and_writes_fp32_logits) {
    // Facts A11: 7168 x 129280 in BF16 is 1.853 GB.
    const Work work = MtpHead{.tokens = 2, .hidden = 7168, .vocabulary = 129280}.work();
    EXPECT_NEAR(work.read.si(), 1.8534e9, 1e5);
    EXPECT_DOUBLE_EQ(work.written.si(), 2 * 129280 * 4);
    EXPECT_DOUBLE_EQ(work.flops.si(), 2.0 * 2 * 129280 * 7168);
}

TEST(MtpProjection, takes_two_hidden_states_to_one) {
    const Work work = MtpProjection{.tokens = 3, .hidden = 8}.work();
    EXPECT_DOUBLE_EQ(work.flops.si(), 2 * 3 * 8 * 16);
    EXPECT_DOUBLE_EQ(work.read.si(), (3 * 16 + 8 * 16) * 2);
    EXPECT_DOUBLE_EQ(work.written.si(), 3 * 8 * 2);
}

}  // namespace
}  // namespace strata
