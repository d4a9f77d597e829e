#include "sim/cost/cost_book.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "hwmodels/catalog.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

const std::string kCurves = std::string(STRATA_SOURCE_DIR) + "/sim/cost/cost_curves.yaml";

AcceleratorSpec part(const std::string& name) {
    return Catalog(std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog").accelerator(name);
}

TEST(CostBook, is_never_faster_than_the_datasheet) {
    const CostBook book(kCurves);
    const Device device = book.device_of(part("H200_SXM"));
    for (const double m : {1.0, 64.0, 1024.0, 65536.0})
        for (const Precision weights : {Precision::bf16, Precision::fp8_block, Precision::fp4_block}) {
            const Gemm gemm{.m = m, .n = 7168, .k = 2048, .weights = weights};
            const FlopRate peak = weights == Precision::bf16 ? device.bf16 : device.fp8;
            const Seconds bound = std::max(gemm.work().flops / peak, gemm.work().bytes() / device.memory);
            EXPECT_GE(book.estimate(gemm, device).time, bound);
        }
}

TEST(CostBook, is_never_slower_with_more_bandwidth) {
    const CostBook book(kCurves);
    Device device = book.device_of(part("H200_SXM"));
    const MhcPost op{.tokens = 4096, .hidden = 7168};
    const Seconds before = book.estimate(op, device).time;
    device.memory = device.memory * 2;
    EXPECT_LT(book.estimate(op, device).time, before);
}

TEST(CostBook, is_near_published_h200_times) {
    // github ai-dynamo/aiconfigurator H200 tables: FP8 GEMM 4096 x 7168 x 16384 902 us; mHC post, 4096 tokens of 7168,
    // 130.5 us. The FP8 curve has a p90 error of 58 %, so the band is wide.
    const CostBook book(kCurves);
    const Device device = book.device_of(part("H200_SXM"));
    EXPECT_NEAR(to_us(book.estimate(Gemm{4096, 7168, 16384, Precision::fp8_block}, device).time), 902, 902 * 0.3);
    EXPECT_NEAR(to_us(book.estimate(MhcPost{.tokens = 4096, .hidden = 7168}, device).time), 130.5, 130.5 * 0.1);
}

TEST(CostBook, prices_an_exchange_as_measured) {
    // DeepEP low latency on one H200 node, 256 tokens of 7168, top 8 of 384: 61.2 us dispatch, 123.2 us combine
    // (aiconfigurator H200 tables; the curves' p90 errors are 19 and 9 %).
    const CostBook book(kCurves);
    const Device device = book.device_of(part("H200_SXM"));
    const Bytes dispatched(256 * 8 * 7.0 / 8 * 7168 * (1 + 4.0 / 128)), combined(256 * 8 * 7.0 / 8 * 7168 * 2);
    const Estimate dispatch = book.exchange(Family::dispatch_low_latency, dispatched, 450.0_GBps, device);
    EXPECT_NEAR(to_us(dispatch.time), 61.2, 61.2 * 0.15);
    EXPECT_EQ(dispatch.origin, Origin::interpolated);
    EXPECT_NEAR(to_us(book.exchange(Family::combine_low_latency, combined, 450.0_GBps, device).time), 123.2, 12);
    // The grouped product was measured on an H800, not here.
    EXPECT_EQ(book.estimate(GroupedGemm{.rows = 64, .groups = 1, .n = 64, .k = 64}, device).origin,
              Origin::transferred);
}

TEST(CostBook, says_how_it_knows) {
    const CostBook book(kCurves);
    const KernelShape gemm = Gemm{64, 4096, 4096, Precision::bf16};
    EXPECT_EQ(book.estimate(gemm, book.device_of(part("H200_SXM"))).origin, Origin::interpolated);
    EXPECT_EQ(book.estimate(gemm, book.device_of(part("H100_SXM"))).origin, Origin::transferred);
    EXPECT_EQ(book.estimate(EngramGate{64, 4096}, book.device_of(part("H200_SXM"))).origin, Origin::assumed);
}

TEST(CostBook, refuses_a_null_peak_only_where_an_op_needs_it) {
    const CostBook book(kCurves);
    const Device device = book.device_of(part("Ascend_910C"));  // has no FP8: runs such products in BF16
    EXPECT_NO_THROW(book.estimate(Gemm{64, 4096, 4096, Precision::fp8_block}, device));
    const Device rtx = book.device_of(part("RTX_5090"));  // peaks unknown
    EXPECT_NO_THROW(book.estimate(IndexerTopK{64, 4096, 512}, rtx));
    try {
        book.estimate(Gemm{64, 4096, 4096, Precision::fp8_block}, rtx);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("RTX_5090.peak.fp8 is null"), std::string::npos) << error.what();
    }
}

TEST(CostBook, refuses_a_curve_that_beats_the_datasheet) {
    std::ifstream shipped(kCurves);
    std::string text((std::istreambuf_iterator<char>(shipped)), {});
    const std::size_t at = text.find("compute_efficiency: ");
    text.replace(at, text.find('\n', at) - at, "compute_efficiency: 1.2");
    const ScratchFolder folder;
    try {
        const CostBook book(folder.write("curves.yaml", text));
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("gemm_bf16.compute_efficiency: expected an efficiency in (0, 1]"),
                  std::string::npos)
            << error.what();
    }
}

}  // namespace
}  // namespace strata
