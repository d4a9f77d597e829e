#include "kernels/mtp/speculative_verify.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

// 64 sequences of 3 drafts over 129,280 FP32 logits: 4 + 3 rows of 517,120 B each, 232 MB; 4 rows where p is certain.
TEST(SpeculativeVerifyWork, counts_each_row_once) {
    EXPECT_DOUBLE_EQ(SpeculativeVerify{.sequences = 64}.work().read.si(), 64.0 * 7 * 517120);
    EXPECT_DOUBLE_EQ((SpeculativeVerify{.sequences = 64, .reads_drafts = false}.work().read.si()), 64.0 * 4 * 517120);
}

}  // namespace
}  // namespace strata
