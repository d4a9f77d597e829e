// What the bench writes is what the cost book reads.
#include <gtest/gtest.h>

#include <set>

#include "kernels/bench/build_facts.hpp"
#include "kernels/bench/catalog.hpp"
#include "sim/cost/measured_kernels.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

TEST(KernelsInTheCostBook, the_fingerprint_of_sources_is_the_same_at_build_time_and_when_read) {
    const ScratchFolder scratch;
    const std::string source = "kernels/quant/quantise.cu";
    const auto line = [&](const std::string& hash) {
        return R"({"schema": "strata.kernel-record.1", "kind": "sample", "kernel": "quant/swiglu", "source": ")" +
               source + R"(", "outcome": "measured", "source_hash": ")" + hash +
               R"(", "flops": 0, "bytes": 1e6, "t_us": {"median": 1}})" + "\n";
    };
    scratch.write("record.jsonl", line(source_hash_of(source)) + line("of before a change"));
    const MeasuredKernels read(scratch.path(), STRATA_SOURCE_DIR "/kernels");
    EXPECT_EQ(read.samples(), 1);
    EXPECT_EQ(read.stale(), 1);
}

TEST(KernelsInTheCostBook, every_family_that_has_a_kernel_here_is_read) {
    std::set<Family> families;
    for (const Kernel& kernel : every_kernel())
        if (const auto family = family_of_kernel(kernel.name)) families.insert(*family);
    EXPECT_EQ(families, (std::set<Family>{Family::mhc_pre, Family::mhc_post, Family::engram_gather, Family::engram_gate,
                                          Family::swiglu_quantise, Family::fp8_quantise, Family::indexer_top_k,
                                          Family::indexer_logits, Family::latent_attention, Family::gemm_bf16,
                                          Family::gemm_fp8, Family::grouped_gemm}));
}

}  // namespace
}  // namespace strata
