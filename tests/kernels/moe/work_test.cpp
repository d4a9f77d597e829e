// What the ops around experts and selection must move, by hand.
#include <gtest/gtest.h>

#include "kernels/attention/indexer.hpp"
#include "kernels/collective/dispatch.hpp"
#include "kernels/moe/align.hpp"
#include "kernels/moe/bias_update.hpp"
#include "kernels/moe/permute.hpp"
#include "kernels/moe/router.hpp"

namespace strata {
namespace {

TEST(MoeWork, router_reads_logits_and_writes_an_expert_and_a_weight_for_each_choice) {
    const Work work = Router{.tokens = 3, .experts = 100, .top_k = 2}.work();
    EXPECT_EQ(work.read.si(), 1200);   // 3 * 100 * 4
    EXPECT_EQ(work.written.si(), 48);  // 3 * 2 * (4 + 4)
    EXPECT_EQ((BiasUpdate{.experts = 10}.work().bytes().si()), 120);
}

TEST(MoeWork, rows_are_read_once_and_written_for_each_pair_and_padding) {
    const Work there = PermuteRows{.tokens = 2, .pairs = 6, .padding = 2, .row_bytes = 10}.work();
    EXPECT_EQ(there.read.si(), 20);
    EXPECT_EQ(there.written.si(), 80);
    const Work back = CombineRows{.tokens = 2, .pairs = 6, .hidden = 4, .with_addend = true}.work();
    EXPECT_EQ(back.flops.si(), 48);                                             // 6 * 4 multiply-adds
    EXPECT_EQ(back.read.si(), 64);                                              // (6 + 2) * 4 * 2
    EXPECT_EQ(back.written.si(), 16);                                           // 2 * 4 * 2
    EXPECT_EQ((AlignPairs{.pairs = 6, .slots = 16}.work().bytes().si()), 112);  // 4 * (6 + 6 + 16)
}

TEST(CollectiveWork, a_token_is_read_once_and_written_for_each_rank) {
    const Work fp8 = DispatchPack{.tokens = 2, .hidden = 128, .copies = 3, .bytes_per_element = 1 + 4.0 / 128}.work();
    EXPECT_EQ(fp8.read.si(), 512);
    EXPECT_EQ(fp8.written.si(), 396);  // 3 * (128 + 4)
    EXPECT_EQ((DispatchLayout{.pairs = 5}.work().bytes().si()), 120);
}

TEST(SelectionWork, top_k_reads_logits_of_either_size_and_coarse_selection_writes_maxima_between) {
    EXPECT_EQ((IndexerTopK{.rows = 2, .keys = 100, .k = 10}.work().bytes().si()), 880);
    EXPECT_EQ((IndexerTopK{.rows = 2, .keys = 100, .k = 10, .logit_bytes = 2}.work().bytes().si()), 480);
    const Work coarse = CoarseSelection{.rows = 1, .keys = 80, .blocks = 5}.work();
    EXPECT_EQ(coarse.read.si(), 320);    // 80 * 4; the maxima are read again from the L2
    EXPECT_EQ(coarse.written.si(), 60);  // 10 maxima and 5 blocks
}

}  // namespace
}  // namespace strata
