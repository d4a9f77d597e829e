#include "sim/cost/cost_book.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
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
    const Device device = device_of(part("H200_SXM"));
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
    Device device = device_of(part("H200_SXM"));
    const MhcPost op{.tokens = 4096, .hidden = 7168};
    const Seconds before = book.estimate(op, device).time;
    device.memory = device.memory * 2;
    EXPECT_LT(book.estimate(op, device).time, before);
}

TEST(CostBook, is_near_published_h200_times) {
    // github ai-dynamo/aiconfigurator H200 tables: FP8 GEMM 4096 x 7168 x 16384 902 us; mHC post, 4096 tokens of 7168,
    // 130.5 us. The FP8 curve has a p90 error of 58 %, so the band is wide.
    const CostBook book(kCurves);
    const Device device = device_of(part("H200_SXM"));
    EXPECT_NEAR(to_us(book.estimate(Gemm{4096, 7168, 16384, Precision::fp8_block}, device).time), 902, 902 * 0.3);
    EXPECT_NEAR(to_us(book.estimate(MhcPost{.tokens = 4096, .hidden = 7168}, device).time), 130.5, 130.5 * 0.1);
}

TEST(CostBook, prices_an_exchange_as_measured) {
    // DeepEP low latency on one H200 node, 256 tokens of 7168, top 8 of 384: 61.2 us dispatch, 123.2 us combine
    // (aiconfigurator H200 tables; the curves' p90 errors are 19 and 9 %).
    const CostBook book(kCurves);
    const Device device = device_of(part("H200_SXM"));
    const Bytes dispatched(256 * 8 * 7.0 / 8 * 7168 * (1 + 4.0 / 128)), combined(256 * 8 * 7.0 / 8 * 7168 * 2);
    const Estimate dispatch = book.exchange(Family::dispatch_low_latency, dispatched, 450.0_GBps, device);
    EXPECT_NEAR(to_us(dispatch.time), 61.2, 61.2 * 0.15);
    EXPECT_EQ(dispatch.origin, Origin::modelled);
    EXPECT_NEAR(to_us(book.exchange(Family::combine_low_latency, combined, 450.0_GBps, device).time), 123.2, 12);
    // The grouped product was measured on an H800, not here.
    EXPECT_EQ(book.estimate(GroupedGemm{.rows = 64, .groups = 1, .n = 64, .k = 64}, device).origin,
              Origin::transferred);
}

TEST(CostBook, says_how_it_knows) {
    const CostBook book(kCurves);
    const KernelShape gemm = Gemm{64, 4096, 4096, Precision::bf16};
    EXPECT_EQ(book.estimate(gemm, device_of(part("H200_SXM"))).origin, Origin::modelled);
    EXPECT_EQ(book.estimate(gemm, device_of(part("H100_SXM"))).origin, Origin::transferred);
    EXPECT_EQ(book.estimate(EngramGate{64, 4096}, device_of(part("H200_SXM"))).origin, Origin::assumed);
}

TEST(CostBook, refuses_a_null_peak_only_where_an_op_needs_it) {
    const CostBook book(kCurves);
    const Device device = device_of(part("Ascend_910C"));  // has no FP8: runs such products in BF16
    EXPECT_NO_THROW(book.estimate(Gemm{64, 4096, 4096, Precision::fp8_block}, device));
    const Device rtx = device_of(part("EPYC_9005_2P_DDR5_6000"));  // peaks unknown
    EXPECT_NO_THROW(book.estimate(IndexerTopK{64, 4096, 512}, rtx));
    try {
        book.estimate(Gemm{64, 4096, 4096, Precision::fp8_block}, rtx);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("EPYC_9005_2P_DDR5_6000.peak.fp8 is null"), std::string::npos)
            << error.what();
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

const CostBook& whole_book() {
    static const CostBook book = CostBook::of(STRATA_SOURCE_DIR);
    return book;
}

TEST(CostTables, load_whole) {
    EXPECT_TRUE(whole_book().refused().empty()) << whole_book().refused().front();
    for (const Family family : {Family::gemm_fp8, Family::moe_experts, Family::csa_context, Family::all_to_all})
        EXPECT_NE(whole_book().table(family), nullptr) << to_string(family);
}

TEST(CostTables, a_row_of_a_table_is_published) {
    // gemm_fp8.csv: 4096 x 7168 x 16384 in 901.647 us.
    const Estimate row =
        whole_book().estimate(point_from(Family::gemm_fp8, "m=4096,n=7168,k=16384"), device_of(part("H200_SXM")));
    EXPECT_EQ(row.origin, Origin::published);
    EXPECT_NEAR(to_us(row.time), 901.647, 1e-3);
}

// Eight of 256 experts a token, their width cut over eight ranks. In moe_experts_cutlass.csv tokens are dealt out: 32
// meet all 256 experts (488.965 us), 16 meet 128 (290.768 us). By chance 32 meet 163.
TEST(CostTables, experts_of_another_library_are_priced_by_how_many_are_met) {
    const Device h200 = device_of(part("H200_SXM"));
    const auto time = [&](double tokens) {
        return whole_book().estimate(CutlassExperts{MoeExperts{.tokens = tokens,
                                                               .hidden = 7168,
                                                               .intermediate = 256,
                                                               .top_k = 8,
                                                               .experts = 256,
                                                               .local_experts = 256}},
                                     h200);
    };
    EXPECT_EQ(time(8192).origin, Origin::published);
    EXPECT_NEAR(to_us(time(8192).time), 4980.04, 0.01);
    EXPECT_GT(to_us(time(32).time), 290.768);
    EXPECT_LT(to_us(time(32).time), 488.965 * 163 / 256 * 1.15);
    EXPECT_EQ(time(32).family, Family::moe_experts_cutlass);
    const KernelShape fused = MoeExperts{
        .tokens = 8192, .hidden = 7168, .intermediate = 256, .top_k = 8, .experts = 256, .local_experts = 256};
    EXPECT_GT(time(8192).time / whole_book().estimate(fused, h200).time, 2);  // SGLang's kernel: 1,881 us
}

TEST(CostTables, between_rows_it_is_interpolated_with_a_band_and_elsewhere_transferred_with_a_wider_one) {
    const OpPoint point = point_from(Family::gemm_fp8, "m=4000,n=7168,k=7168");
    const Estimate here = whole_book().estimate(point, device_of(part("H200_SXM")));
    const Estimate there = whole_book().estimate(point, device_of(part("B200_SXM")));
    EXPECT_EQ(here.origin, Origin::interpolated);
    // 411 GFLOP at 1,000 to 1,400 of 1,979 TFLOP/s.
    EXPECT_GT(to_us(here.time), 290);
    EXPECT_LT(to_us(here.time), 411);
    EXPECT_LT(here.low, here.time);
    EXPECT_EQ(there.origin, Origin::transferred);
    EXPECT_LT(there.time, here.time);
    EXPECT_GT(there.high / there.time, here.high / here.time);
}

TEST(CostTables, time_never_falls_with_more_work_and_never_beats_the_bound) {
    const Device device = device_of(part("H200_SXM"));
    for (const char* shape : {"m=1,n=7168,k=2048", "m=1,n=3000,k=5000", "m=1,n=24576,k=1536"})
        for (const Family family : {Family::gemm_bf16, Family::gemm_fp8}) {
            OpPoint point = point_from(family, shape);
            Seconds before(0);
            for (double m = 1; m < 40000; m *= 1.07) {
                point.sides[0] = m;
                // A published row is as it was measured; what lies between never falls.
                const Derivation now = whole_book().explain(point, device);
                if (now.estimate.origin == Origin::published) continue;
                EXPECT_GE(now.estimate.time, before) << text_of(point);
                EXPECT_GE(now.estimate.time, now.physics.bound) << text_of(point);
                before = now.estimate.time;
            }
        }
}

// Two ways to the same answer: the fast one of sweeps, and the one that shows its steps.
TEST(CostTables, an_estimate_is_what_is_explained) {
    for (const char* name : {"H200_SXM", "H100_SXM", "GB300"})
        for (const char* shape : {"m=1,n=7168,k=2048", "m=777,n=3000,k=5000", "m=300000,n=24576,k=1536"}) {
            const Device device = device_of(part(name));
            const OpPoint point = point_from(Family::gemm_bf16, shape);
            const Estimate fast = whole_book().estimate(point, device),
                           shown = whole_book().explain(point, device).estimate;
            EXPECT_EQ(fast.time, shown.time) << name << " " << shape;
            EXPECT_EQ(fast.low, shown.low) << name << " " << shape;
            EXPECT_EQ(fast.memory_bound, shown.memory_bound) << name << " " << shape;
            EXPECT_EQ(fast.origin, shown.origin) << name << " " << shape;
            EXPECT_LE(fast.overhead, fast.time) << name << " " << shape;
        }
}

// Threads remember what they asked a book: not what they asked another.
TEST(CostTables, of_two_books_are_not_mixed_up) {
    const CostBook other = CostBook::of(STRATA_SOURCE_DIR, true);
    const Device device = device_of(part("H200_SXM"));
    const OpPoint point = point_from(Family::gemm_bf16, "m=777,n=7100,k=2000");
    const Seconds first = whole_book().estimate(point, device).time, elsewhere = other.estimate(point, device).time;
    EXPECT_NE(first, elsewhere);  // one row in five is put aside there
    EXPECT_EQ(whole_book().estimate(point, device).time, first);
    EXPECT_EQ(other.estimate(point, device).time, elsewhere);
}

// FP4 weights are widened to FP8: a product that computes gains nothing by them, one that reads them does.
TEST(CostTables, weights_in_another_format_spare_bytes_not_products) {
    const Device device = device_of(part("H200_SXM"));
    const auto ratio = [&](double m) {
        const Gemm eight{.m = m, .n = 7168, .k = 16384, .weights = Precision::fp8_block};
        const Gemm four{.m = m, .n = 7168, .k = 16384, .weights = Precision::fp4_block};
        return whole_book().estimate(four, device).time / whole_book().estimate(eight, device).time;
    };
    EXPECT_NEAR(ratio(4096), 1, 0.02);
    EXPECT_LT(ratio(1), 0.75);
}

TEST(CostTables, a_selection_takes_as_long_as_cores_look_at_every_logit) {
    // indexer_top_k.csv: one sequence of 4096 queries after 65536 tokens, 566.8 us.
    const Estimate estimate =
        whole_book().estimate(IndexerTopK{.rows = 4096, .keys = 65536 + 2048, .k = 2048}, device_of(part("H200_SXM")));
    EXPECT_NEAR(to_us(estimate.time), 566.8, 566.8 * 0.25);
}

TEST(CostTables, says_when_a_shape_is_beyond_what_was_measured) {
    const Device device = device_of(part("H200_SXM"));
    const OpPoint inside = point_from(Family::mhc_post, "tokens=5000,hidden=5120");
    const OpPoint beyond = point_from(Family::mhc_post, "tokens=5000,hidden=16384");
    EXPECT_FALSE(whole_book().estimate(inside, device).outside);
    EXPECT_TRUE(whole_book().estimate(beyond, device).outside);
    EXPECT_EQ(whole_book().estimate(beyond, device).origin, Origin::modelled);
}

// A kernel of another device that no row has says nothing of which rows are near.
TEST(CostTables, an_unknown_word_is_no_word) {
    const Device device = device_of(part("B200_SXM"));
    const std::string shape = "batch=16,past=8192,heads=64,model=DeepSeek-V3.2";
    const Estimate with =
        whole_book().estimate(point_from(Family::dsa_generation, shape + ",kernel=nobody_has_it"), device);
    const Estimate without = whole_book().estimate(point_from(Family::dsa_generation, shape), device);
    EXPECT_DOUBLE_EQ(with.time.si(), without.time.si());
}

TEST(CostTables, refuse_a_shape_with_what_they_expect) {
    const auto message = [](const char* shape) -> std::string {
        try {
            (void)point_from(Family::gemm_fp8, shape);
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_EQ(message("m=4,n=8"), "gemm_fp8: 'k' is missing; expected m=N,n=N,k=N");
    EXPECT_EQ(message("m=4,n=8,q=3"), "gemm_fp8: it has no 'q'; expected m=N,n=N,k=N");
    for (const char* wrong : {"m=-4", "m=0", "m=inf", "m=1e22", "m=4x"})
        EXPECT_EQ(message((std::string(wrong) + ",n=8,k=3").c_str()),
                  fmt::format("gemm_fp8: '{}' is no length; expected m=N,n=N,k=N", wrong));
}

// One that is truncated, of another schema or impossible is left out, with its place; the rest is loaded.
class SpoiledProfile : public ::testing::Test {
protected:
    std::string refusal(const std::string& text) {
        namespace fs = std::filesystem;
        fs::create_directories(folder / "H200_SXM");
        fs::copy_file(kPublished + "/H200_SXM/mhc_pre.csv", folder / "H200_SXM/mhc_pre.csv",
                      fs::copy_options::overwrite_existing);
        (void)folder.write("H200_SXM/mhc_post.csv", text);
        const CostBook book({.curves = kCurves,
                             .profiles = folder.path(),
                             .accelerators = std::string(STRATA_SOURCE_DIR) + "/hwmodels/catalog/accelerators"});
        EXPECT_NE(book.table(Family::mhc_pre), nullptr);
        EXPECT_EQ(book.table(Family::mhc_post), nullptr);
        return book.refused().size() == 1 ? book.refused().front() : "not refused";
    }
    static std::string whole() {
        std::ifstream in(kPublished + "/H200_SXM/mhc_post.csv");
        return {std::istreambuf_iterator<char>(in), {}};
    }

    static inline const std::string kPublished = std::string(STRATA_SOURCE_DIR) + "/sim/cost/published";
    const ScratchFolder folder;
};

TEST_F(SpoiledProfile, without_its_last_rows) {
    std::string text = whole();
    text.erase(text.rfind('\n', text.size() - 2) + 1);
    EXPECT_NE(
        refusal(text).find("mhc_post.csv:58: expected 51 rows, as its header says, found 50: the file is truncated"),
        std::string::npos)
        << refusal(text);
}

TEST_F(SpoiledProfile, cut_off_in_a_line) {
    std::string text = whole();
    text.resize(text.size() - 3);
    EXPECT_NE(refusal(text).find("mhc_post.csv:59: expected a line that ends, found '"), std::string::npos)
        << refusal(text);
}

TEST_F(SpoiledProfile, of_another_schema) {
    std::string text = whole();
    text.replace(text.find("profile.1"), 9, "profile.9");
    EXPECT_NE(refusal(text).find("mhc_post.csv:1: expected '# strata.cost-profile.1', found '# strata.cost-profile.9'"),
              std::string::npos)
        << refusal(text);
}

TEST_F(SpoiledProfile, with_a_row_that_beats_the_physical_bound) {
    std::string text = whole();
    text.replace(text.find("# rows: 51"), 10, "# rows: 52");
    text += "4096,7168,12\n";  // 18 B an element of hidden: 110 us at 4.8 TB/s
    EXPECT_NE(refusal(text).find("mhc_post.csv:60: expected no less than 110.100 us, the physical bound"),
              std::string::npos)
        << refusal(text);
}

TEST_F(SpoiledProfile, that_promises_more_rows_than_a_file_can_hold) {
    std::string text = whole();
    text.replace(text.find("# rows: 51"), 10, "# rows: 1e14");
    EXPECT_NE(refusal(text).find("expected at least one row, found 1e14"), std::string::npos) << refusal(text);
}

TEST_F(SpoiledProfile, that_nobody_has_fitted) {
    std::string text = whole();
    const std::size_t band = text.find("# band: ");
    text.replace(band, text.find('\n', band) - band, "# band: 0");
    EXPECT_NE(refusal(text).find("expected a band above 0 (fit-cost-curves sets it)"), std::string::npos)
        << refusal(text);
}

TEST_F(SpoiledProfile, with_a_cell_that_is_no_number) {
    std::string text = whole();
    text.replace(text.find("# rows: 51"), 10, "# rows: 52");
    text += "4096,many,400\n";
    EXPECT_NE(refusal(text).find("mhc_post.csv:60: expected a number that is not negative, found 'many'"),
              std::string::npos)
        << refusal(text);
}

}  // namespace
}  // namespace strata
