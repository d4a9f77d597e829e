#include <gtest/gtest.h>

#include "kernels/collective/collective.hpp"
#include "kernels/engram/engram.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/mhc/mhc.hpp"
#include "kernels/moe/grouped_gemm.hpp"
#include "kernels/moe/moe_experts.hpp"
#include "kernels/quant/swiglu_quantise.hpp"

namespace strata {
namespace {

TEST(Work, of_a_bf16_product_counts_each_operand_once) {
    const Work work = Gemm{.m = 2, .n = 3, .k = 5}.work();
    EXPECT_DOUBLE_EQ(work.flops.si(), 60);            // 2 * 2 * 3 * 5
    EXPECT_DOUBLE_EQ(work.read.si(), 2 * (10 + 15));  // a 2x5 and w 3x5 at 2 B
    EXPECT_DOUBLE_EQ(work.written.si(), 2 * 6);
}

TEST(Work, of_experts_touches_all_only_with_many_tokens) {
    MoeExperts experts{.tokens = 1, .hidden = 8, .intermediate = 4, .top_k = 2, .experts = 8, .local_experts = 8};
    EXPECT_NEAR(experts.touched_experts(), 2, 1e-12);  // one token touches its top_k
    experts.tokens = 1000;
    EXPECT_NEAR(experts.touched_experts(), 8, 1e-6);
    EXPECT_DOUBLE_EQ(experts.pairs(), 2000);
}

TEST(Work, of_a_grouped_product_counts_rows_and_knows_its_whole_tiles) {
    // Two experts with one row each fill two tiles of 64; bytes are those of 2 rows, 2 weight matrices and 2 results.
    const GroupedGemm product{.rows = 2, .groups = 2, .n = 8, .k = 4, .weights = Precision::bf16};
    EXPECT_DOUBLE_EQ(product.work().flops.si(), 2 * 2 * 8 * 4);
    EXPECT_DOUBLE_EQ(product.padded_rows(), 128);
    EXPECT_DOUBLE_EQ(product.work().bytes().si(), 2 * (2 * 4 + 2 * 8 * 4 + 2 * 8));
    // With many rows an expert wastes half a tile: 1000 rows over 2 experts are computed as 1000 + 2 * 31.5.
    EXPECT_DOUBLE_EQ((GroupedGemm{.rows = 1000, .groups = 2}.padded_rows()), 1063);
}

TEST(Work, of_swiglu_reads_both_halves_and_writes_tiles) {
    const Work work = SwigluQuantise{.rows = 1, .width = 128}.work();
    EXPECT_DOUBLE_EQ(work.read.si(), 2 * 128 * 2);
    EXPECT_DOUBLE_EQ(work.written.si(), 128 + 4);
}

TEST(Collective, sends_a_copy_a_rank_and_keeps_what_stays) {
    // Top 2 over 2 ranks: both experts on one rank half of the time, so 1.5 copies; half of them stay.
    EXPECT_NEAR(copies_per_rank(2, 2), 1.5, 1e-12);
    const ExpertAllToAll exchange{
        .tokens = 10, .hidden = 4, .copies = copies_per_rank(2, 2), .bytes_per_element = 2, .peers = 2};
    EXPECT_NEAR(exchange.sent().si(), 10 * 4 * 1.5 * 2 / 2, 1e-12);
}

TEST(Work, of_mhc_sites_is_10_and_18_bytes_an_element_of_hidden) {
    // n = 4 in BF16: pre reads 4 and writes 1 stream (10 B), post reads 5 and writes 4 (18 B).
    const MhcPre pre{.tokens = 1, .hidden = 1};
    const MhcPost post{.tokens = 1, .hidden = 1};
    EXPECT_DOUBLE_EQ(pre.work().bytes().si(), 10);
    EXPECT_DOUBLE_EQ(post.work().bytes().si(), 18);
}

TEST(Work, of_an_engram_fetch_is_6336_bytes_a_token_and_layer_for_v4_1_flash) {
    const EngramFetch fetch{.tokens = 1, .rows_per_token = 24, .row_bytes = 264};  // 24 * 264
    EXPECT_DOUBLE_EQ(fetch.fetched().si(), 6336);
}

TEST(ExpertAllToAll, reproduces_the_published_bound_of_an_ep_round_on_infiniband) {
    // arXiv 2505.09343 section 2.3.2: 32 tokens, 9 experts, 7 K hidden, 1 B dispatch + 2 B combine over 50 GB/s:
    // 120.96 us; twice for dual micro-batches, 61 layers: 14.76 ms. "One expert a GPU": all copies leave the rank.
    const double peers = 1e12;
    const ExpertAllToAll dispatch{.tokens = 32, .hidden = 7000, .copies = 9, .bytes_per_element = 1, .peers = peers};
    ExpertAllToAll combine = dispatch;
    combine.bytes_per_element = 2;
    const Seconds round = (dispatch.sent() + combine.sent()) / 50.0_GBps;
    EXPECT_NEAR(to_us(round), 120.96, 1e-6);
    EXPECT_NEAR(to_ms(round) * 2 * 61, 14.76, 0.01);
    EXPECT_NEAR(to_ms((dispatch.sent() + combine.sent()) / 900.0_GBps) * 2 * 61, 0.82, 0.01);  // GB200 NVL72
}

TEST(Collectives, send_nothing_when_alone) {
    EXPECT_DOUBLE_EQ((ExpertAllToAll{.tokens = 8, .hidden = 8, .copies = 2}.sent().si()), 0);
    EXPECT_DOUBLE_EQ((AllReduce{.elements = 8}.sent().si()), 0);
}

}  // namespace
}  // namespace strata
