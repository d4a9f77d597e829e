#include <gtest/gtest.h>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/model/vision_encoder.hpp"
#include "sim/placement/memory.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/inputs.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

Inputs& inputs() {
    static Inputs shared(kRoot);
    return shared;
}

Scenario optical_scenario(const std::string& workload, const std::string& placement = "tp: 8, ep: 8") {
    return read_point(
        "{model: v3, platform: {system: HGX_H200}, workload: {" + workload + "}, placement: {" + placement + "}}",
        "test", kRoot + "/scenarios/models", inputs().catalog());
}

Run run_of(const Scenario& scenario) {
    const Program program = inputs().program_of(scenario);
    return summarise(scenario, inputs().platform(scenario.platform).machine, program, run_analytic(program),
                     "analytic");
}

std::string prefill(const std::string& optical) {
    return "kind: prefill, batch: 1, prompt: 65536, optical: {text_tokens_per_page: 1024, " + optical + "}";
}

double vision_flops(double side, double images) {
    double sum = 0;
    for (const Op& op : vision_ops({{side, images}}, 1280)) sum += work_of(op.shape).flops.si();
    return sum;
}

// SAM-base's published 80 M and CLIP-large's 300 M are "380 M" together (arXiv 2510.18234, section 3.2); compressor,
// neck and projector come on top.
TEST(VisionEncoder, has_the_published_parameters) { EXPECT_NEAR(vision_parameters(1280), 380e6, 25e6); }

// At 1024: 4096 patches, five windows a side. SAM: 2 FLOPs of 7.08 M parameters a layer and patch, where
// attention's 2.36 M are also computed for the 804 patches of padding in eight layers; scores and values 4 L^2 768 a
// global layer, 4 x 25 x 196^2 x 768 a windowed one. CLIP: 2 x 302 M a token, 257 tokens, and 24 x 4 x 257^2 x 1024.
// Neck 0.786 M a patch.
TEST(VisionEncoder, does_the_flops_of_its_layers) {
    const double sam = 2 * (12 * 4096 * 7077888.0 + 8 * 804 * 2359296.0) + 4 * 4 * 4096.0 * 4096 * 768 +
                       8 * 4 * 25 * 196.0 * 196 * 768;
    const double clip = 2 * 24 * 12582912.0 * 257 + 24 * 4 * 257.0 * 257 * 1024;
    const double neck = 2 * 4096 * (768.0 * 256 + 9 * 256 * 256), embedding = 2 * 4096 * 768.0 * 768;
    const double compressor = 2 * 9 * (1024.0 * 256 * 512 + 256.0 * 512 * 1024), projector = 2 * 256 * 2048.0 * 1280;
    const double pixels = 2 * 3 * 1024.0 * 1024;
    EXPECT_NEAR(vision_flops(1024, 1) / (sam + clip + neck + embedding + compressor + projector + pixels), 1, 1e-9);
}

TEST(VisionEncoder, does_more_the_larger_and_the_more_the_pages) {
    EXPECT_LT(vision_flops(512, 1), vision_flops(640, 1));
    EXPECT_LT(vision_flops(640, 1), vision_flops(1024, 1));
    EXPECT_NEAR(vision_flops(640, 7) / vision_flops(640, 1), 7, 1e-9);
}

// 64 pages of 1024 text tokens, 256 vision tokens each.
TEST(OpticalPrefill, the_model_sees_vision_tokens_in_place_of_text) {
    auto run = run_of(optical_scenario(prefill("mode: base")));
    EXPECT_DOUBLE_EQ(run.metrics["context.text_tokens"], 65536);
    EXPECT_DOUBLE_EQ(run.metrics["context.pages"], 64);
    EXPECT_DOUBLE_EQ(run.metrics["context.vision_tokens"], 64 * 256);
    EXPECT_DOUBLE_EQ(run.metrics["context.model_tokens"], 64 * 256);
    auto text = run_of(optical_scenario("kind: prefill, batch: 1, prompt: 16384"));
    EXPECT_DOUBLE_EQ(run.metrics["memory.kv_gb"], text.metrics["memory.kv_gb"]);
    EXPECT_GT(run.metrics["vision.encode_ms"], 0);
    EXPECT_NEAR(run.metrics["prefill.ttft_ms"], text.metrics["prefill.ttft_ms"] + run.metrics["vision.encode_ms"],
                1e-6);
    EXPECT_GT(run.components["vision"].arithmetic, 0);
    // Throughput counts the prompt's text.
    EXPECT_NEAR(run.metrics["prefill.tokens_per_s"] * run.metrics["prefill.ttft_ms"] / 1e3, 65536, 1e-3);
}

TEST(OpticalPrefill, without_a_share_is_the_prompt_as_text) {
    auto none = run_of(optical_scenario(prefill("mode: base, share: 0")));
    auto text = run_of(optical_scenario("kind: prefill, batch: 1, prompt: 65536"));
    EXPECT_DOUBLE_EQ(none.metrics["prefill.ttft_ms"], text.metrics["prefill.ttft_ms"]);
    EXPECT_EQ(none.metrics["vision.encode_ms"], 0);
    EXPECT_EQ(none.metrics.count("quality.optical_precision"), 0u);
}

TEST(OpticalPrefill, smaller_modes_are_faster_smaller_and_less_precise) {
    double ms = 1e9, gb = 1e9, precision = 1;
    for (const char* mode : {"gundam", "large", "base", "small", "tiny"}) {
        auto run = run_of(optical_scenario(prefill(std::string("mode: ") + mode)));
        EXPECT_LT(run.metrics["prefill.ttft_ms"], ms) << mode;
        EXPECT_LT(run.metrics["memory.kv_gb"], gb) << mode;
        EXPECT_LE(run.metrics["quality.optical_precision"], precision) << mode;
        ms = run.metrics["prefill.ttft_ms"], gb = run.metrics["memory.kv_gb"];
        precision = run.metrics["quality.optical_precision"];
    }
    EXPECT_LT(precision, 0.9);
}

TEST(OpticalPrefill, a_precision_that_nobody_published_is_absent_and_says_why) {
    const auto run = run_of(optical_scenario(
        "kind: prefill, batch: 1, prompt: 65536, optical: {mode: tiny, share: 1, text_tokens_per_page: 2000}"));
    EXPECT_EQ(run.metrics.count("quality.optical_precision"), 0u);
    EXPECT_EQ(run.metrics.count("quality.optical_precision_high"), 1u);
    EXPECT_NE(run.absent.at("quality.optical_precision").find("19.7"), std::string::npos);
}

TEST(OpticalPrefill, encodes_only_pages_that_are_not_found_in_a_cache) {
    const auto images = [](const std::string& more) {
        return images_of(optical_scenario("kind: prefill, batch: 8, prompt: 65536, " + more +
                                              "optical: {text_tokens_per_page: 1024, mode: base}",
                                          "dp: 8, ep: 8"))
            .at(0)
            .images;
    };
    EXPECT_DOUBLE_EQ(images(""), 64);
    EXPECT_DOUBLE_EQ(images("prefix_hits: 0.75, "), 16);
}

// 64 pages over eight ranks; of gundam each is an overview of 1024 and six tiles of 640.
TEST(OpticalPrefill, ranks_that_split_tensors_share_out_the_pages) {
    const auto images = images_of(optical_scenario(prefill("mode: gundam")));
    ASSERT_EQ(images.size(), 2u);
    EXPECT_DOUBLE_EQ(images[0].images, 8);
    EXPECT_DOUBLE_EQ(images[1].side, 640);
    EXPECT_DOUBLE_EQ(images[1].images, 48);
}

TEST(OpticalPrefill, holds_the_encoder_s_weights_on_every_rank) {
    const auto weights = [](const std::string& workload) {
        return memory_use(optical_scenario(workload), 8).weights.si();
    };
    EXPECT_NEAR(weights(prefill("mode: base")) - weights("kind: prefill, batch: 1, prompt: 65536"),
                2 * vision_parameters(7168), 1);
}

TEST(OpticalDecode, shrinks_the_cache_and_encodes_nothing) {
    const std::string step = "kind: decode, batch: 64, context: 65536";
    auto text = run_of(optical_scenario(step, "dp: 8, ep: 8"));
    auto pictures =
        run_of(optical_scenario(step + ", optical: {mode: small, text_tokens_per_page: 1024}", "dp: 8, ep: 8"));
    EXPECT_EQ(pictures.metrics["vision.encode_ms"], 0);
    EXPECT_LT(pictures.metrics["decode.tpot_ms"], text.metrics["decode.tpot_ms"]);
    EXPECT_NEAR(text.metrics["memory.kv_gb"] / pictures.metrics["memory.kv_gb"], 65537.0 / 6401, 1e-6);
}

TEST(OpticalField, refuses_what_is_no_schedule) {
    for (const char* optical : {"mode: base", "mode: huge, text_tokens_per_page: 9", "mode: base, tiles: 10",
                                "mode: base, share: 2", "mode: base, text_tokens_per_page: 0",
                                // A picture does not become sharper, and ages rise.
                                "mode: small, text_tokens_per_page: 900, forgetting: [{older_than: 4, mode: large}]",
                                "mode: large, text_tokens_per_page: 900, forgetting: [{older_than: 4, mode: base}, "
                                "{older_than: 4, mode: tiny}]"})
        EXPECT_THROW(optical_scenario(std::string("kind: decode, optical: {") + optical + "}"), InputError) << optical;
}

}  // namespace
}  // namespace strata
