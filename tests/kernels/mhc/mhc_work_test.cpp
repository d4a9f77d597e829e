#include <gtest/gtest.h>

#include "kernels/mhc/mhc.hpp"

namespace strata {
namespace {

// Four streams in BF16: post moves 18 B an element of hidden and pre 10. Fused, the 8 B of new streams are not read
// back: 20. Constant gates move what pre and post do.
TEST(MhcWork, of_a_fused_pair_is_20_bytes_an_element_of_hidden) {
    EXPECT_DOUBLE_EQ((MhcFused{.tokens = 1, .hidden = 1}.work().bytes().si()), 20);
    EXPECT_DOUBLE_EQ((MhcFused{.tokens = 1, .hidden = 1}.work().written.si()), 10);
    EXPECT_DOUBLE_EQ((MhcSinglePass{.tokens = 2, .hidden = 3}.work().bytes().si()), 120);
    EXPECT_DOUBLE_EQ((HyperConnectionPre{.tokens = 1, .hidden = 1}.work().bytes().si()), 10);
}

// 24 mixes of four numbers and a weighted sum of them: 2 * 4 * (24 + 1) operations for pre, 2 * 4 * 4 + 2 * 4 for post.
TEST(MhcWork, of_a_fused_pair_computes_what_the_two_do) {
    EXPECT_DOUBLE_EQ((MhcFused{.tokens = 1, .hidden = 1}.work().flops.si()), 200 + 40);
}

}  // namespace
}  // namespace strata
