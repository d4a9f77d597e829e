#include <gtest/gtest.h>

#include "kernels/rl/distillation.hpp"
#include "kernels/rl/grpo.hpp"

namespace strata {
namespace {

// BF16 logits of 129,280 tokens: 2V bytes forward, 2V read and 2V written backward, and 2V more with a teacher.
TEST(RlWork, counts_the_logits_once_a_pass) {
    const double row = 129280 * 2;
    EXPECT_DOUBLE_EQ((TokenLogp{.tokens = 3, .vocabulary = 129280}.work().bytes().si()), 3 * row);
    EXPECT_DOUBLE_EQ((TokenLogpGradient{.tokens = 3, .vocabulary = 129280}.work().read.si()), 3 * row);
    EXPECT_DOUBLE_EQ((TokenLogpGradient{.tokens = 3, .vocabulary = 129280}.work().written.si()), 3 * row);
    EXPECT_DOUBLE_EQ((Distillation{.tokens = 3, .vocabulary = 129280}.work().bytes().si()), 3 * 2 * row);
    EXPECT_DOUBLE_EQ((DistillationGradient{.tokens = 3, .vocabulary = 129280}.work().bytes().si()), 3 * 3 * row);
}

}  // namespace
}  // namespace strata
