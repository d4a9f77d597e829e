#include "sim/cost/measured_kernels.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "hwmodels/catalog.hpp"
#include "hwmodels/input_error.hpp"
#include "sim/cost/cost_book.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// mHC post of 7168: 18 bytes and 40 FLOPs an element. 1024 tokens in 40 us and 4096 in 160 us, made up for these tests.
constexpr const char* kRunLine =
    R"({"schema": "strata.kernel-record.1", "kind": "run", "gpu": {"name": "NVIDIA H200"}})";

std::string sample(double tokens, double us, const std::string& hash, const char* outcome = "measured") {
    const Work work = MhcPost{.tokens = tokens, .hidden = 7168}.work();
    return R"({"schema": "strata.kernel-record.1", "kind": "sample", "kernel": "mhc/post", "source": "kernels/mhc/post.cu", "outcome": ")" +
           std::string(outcome) + R"(", "source_hash": ")" + hash + R"(", "flops": )" +
           std::to_string(work.flops.si()) + R"(, "bytes": )" + std::to_string(work.bytes().si()) +
           R"(, "t_us": {"median": )" + std::to_string(us) + "}}";
}

class Records : public ::testing::Test {
protected:
    void write(const std::vector<std::string>& lines) {
        std::ofstream file(folder / "h200.jsonl");
        for (const std::string& line : lines) file << line << '\n';
    }
    MeasuredKernels read() const { return MeasuredKernels(folder, folder / "no kernels here"); }
    CostBook book() const { return CostBook({.curves = kRoot + "/sim/cost/cost_curves.yaml", .measured = read()}); }
    static AcceleratorSpec h200() { return Catalog(kRoot + "/hwmodels/catalog").accelerator("H200_SXM"); }
    static MhcPost post(double tokens) { return {.tokens = tokens, .hidden = 7168}; }

    // SHA-256 where all sources are absent: of twice the SHA-256 of nothing.
    const std::string hash = "3b7546ed79e3e5a7907381b093c5a182cbf364c5dd0443dfa956c8cca271cc33";
    const ScratchFolder scratch;
    const std::filesystem::path folder{scratch.path()};
};

TEST_F(Records, a_shape_that_was_measured_has_that_time) {
    write({kRunLine, sample(1024, 40, hash), sample(4096, 160, hash)});
    ASSERT_EQ(read().samples(), 2);
    const CostBook costs = book();
    const Estimate estimate = costs.estimate(post(4096), device_of(h200()));
    EXPECT_EQ(estimate.origin, Origin::measured);
    EXPECT_DOUBLE_EQ(to_us(estimate.time), 160);
}

TEST_F(Records, an_op_of_just_that_shape_is_explained_by_it) {
    std::string line = sample(1024, 40, hash);
    line.insert(line.size() - 1, R"(, "shape": {"tokens": 1024, "hidden": 7168})");
    write({kRunLine, line});
    const CostBook costs = book();
    const Derivation known = costs.explain(point_from(Family::mhc_post, "tokens=1024,hidden=7168"), device_of(h200()));
    EXPECT_EQ(known.estimate.origin, Origin::measured);
    EXPECT_DOUBLE_EQ(to_us(known.estimate.time), 40);
    const auto other = costs.explain(point_from(Family::mhc_post, "tokens=1025,hidden=7168"), device_of(h200()));
    EXPECT_FALSE(other.measured);
    EXPECT_NE(other.estimate.origin, Origin::measured);
}

TEST(KernelShapes, are_points_of_the_tables_where_both_mean_the_same) {
    const auto decode =
        point_of_kernel("attention/mla-decode-bf16",
                        {{"sequences", 64}, {"queries", 1}, {"heads", 16}, {"context", 32768}, {"ragged", 0}});
    EXPECT_EQ(decode, point_from(Family::latent_attention, "batch=64,context=32768,heads=16,cache=bfloat16"));
    EXPECT_FALSE(
        point_of_kernel("attention/mla-decode-bf16",
                        {{"sequences", 64}, {"queries", 2}, {"heads", 16}, {"context", 32768}, {"ragged", 0}}));
    EXPECT_FALSE(point_of_kernel("moe/align", {{"tokens", 4096}}));
}

// Twice the bytes of 1024 tokens, half of those of 4096: 40 us x 2.
TEST_F(Records, between_two_shapes_it_is_interpolated) {
    write({kRunLine, sample(4096, 160, hash), sample(1024, 40, hash)});
    const CostBook costs = book();
    const Estimate estimate = costs.estimate(post(2048), device_of(h200()));
    EXPECT_EQ(estimate.origin, Origin::interpolated);
    EXPECT_NEAR(to_us(estimate.time), 80, 1e-6);
}

TEST_F(Records, beyond_them_and_on_other_devices_curves_answer) {
    write({kRunLine, sample(1024, 40, hash), sample(4096, 160, hash)});
    const CostBook with = book(), without(kRoot + "/sim/cost/cost_curves.yaml");
    const Device device = device_of(h200());
    EXPECT_EQ(with.estimate(post(8192), device).time, without.estimate(post(8192), device).time);
    AcceleratorSpec other = h200();
    other.cuda_name = "NVIDIA H100 80GB HBM3";
    EXPECT_EQ(with.estimate(post(4096), device_of(other)).time, without.estimate(post(4096), device).time);
}

TEST_F(Records, a_device_that_a_scenario_has_changed_was_not_measured) {
    write({kRunLine, sample(4096, 160, hash)});
    AcceleratorSpec faster = h200();
    faster.memory_bandwidth.value = 8000.0_GBps;
    faster.memory_bandwidth.kind = "assumed";  // as `platform.accelerator.memory.bandwidth: 8 TB/s` does
    const CostBook costs = book();
    EXPECT_NE(costs.estimate(post(4096), device_of(faster)).origin, Origin::measured);
}

TEST_F(Records, refused_failed_and_stale_samples_do_not_count) {
    write({kRunLine, sample(4096, 160, hash, "refused"), sample(1024, 40, "of another kernel")});
    EXPECT_EQ(read().samples(), 0);
    EXPECT_EQ(read().stale(), 1);
}

TEST_F(Records, a_broken_line_is_named) {
    write({kRunLine, R"({"schema": "strata.kernel-record.1", "kind": "sample")"});
    try {
        read();
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("h200.jsonl:2: not a line of a record of kernels"), std::string::npos)
            << error.what();
    }
}

TEST_F(Records, a_folder_that_is_absent_has_none) {
    EXPECT_EQ(MeasuredKernels(folder / "nothing", kRoot + "/kernels").samples(), 0);
}

}  // namespace
}  // namespace strata
