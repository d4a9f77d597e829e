// The precision dial: formats have the bytes of published models, times follow, and what cannot be is refused.
#include "sim/model/precision.hpp"

#include <gtest/gtest.h>

#include "sim/cost/cost_book.hpp"
#include "sim/model/accounting.hpp"
#include "sim/model/step_ops.hpp"
#include "sim/study/study.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// A decode step of v4-flash on eight H200, or of another preset, with this precision.
std::string precision_scenario(const std::string& precision, const std::string& preset = "v4-flash") {
    return "model: {preset: " + preset + ", precision: " + precision +
           "}\nplatform: {system: HGX_H200}\nworkload: {kind: decode, batch: 512, context: 8192}\n"
           "placement: {dp: 8, ep: 8}\n";
}

class Precisions : public ::testing::Test {
protected:
    std::vector<PointResult> results_of(const std::string& text) {
        const ScenarioFile file(folder_.write("scenario.yaml", text), kModels);
        return run_study(file, {.root = kRoot}).results;
    }
    strata::Run run_of(const std::string& text) {
        const std::vector<PointResult> results = results_of(text);
        EXPECT_EQ(results.front().reason, "");
        return results.front().run.value();
    }
    Model model_of(const std::string& text) {
        static const Catalog catalog(kRoot + "/hwmodels/catalog");
        const ScenarioFile file(folder_.write("scenario.yaml", text), kModels);
        return file.read(file.points().front(), catalog).model;
    }
    std::string error_of(const std::string& text) {
        try {
            return results_of(text).front().reason;
        } catch (const InputError& error) {
            return error.what();
        }
    }

private:
    ScratchFolder folder_;
};

TEST(Precision, bytes_of_an_element_include_its_scales) {
    EXPECT_DOUBLE_EQ(bytes_per_element(Precision::fp8_tensor), 1);
    EXPECT_DOUBLE_EQ(bytes_per_element(Precision::mxfp8), 33.0 / 32);
    EXPECT_DOUBLE_EQ(bytes_per_element(Precision::fp4_block), 17.0 / 32);
    EXPECT_DOUBLE_EQ(bytes_per_element(Precision::nvfp4), 9.0 / 16);
}

TEST(Precision, rows_are_those_of_the_released_models) {
    EXPECT_DOUBLE_EQ(kv_entry_bytes(512, 64, Precision::bf16), 1152);     // V3: 576 x 2
    EXPECT_DOUBLE_EQ(kv_entry_bytes(512, 64, Precision::fp8_tile), 656);  // V3.2: 512 + 4 x 4 + 64 x 2
    EXPECT_DOUBLE_EQ(kv_entry_bytes(448, 64, Precision::nvfp4), 288);     // V4.1: 512 / 2 + 512 / 16
    EXPECT_DOUBLE_EQ(row_bytes(128, Precision::fp8_tile), 132);           // V3.2's index key
    EXPECT_DOUBLE_EQ(row_bytes(128, Precision::fp4_block), 68);           // V4's: 64 + 4
    EXPECT_DOUBLE_EQ(row_bytes(256, Precision::mxfp8), 264);              // V4.1's Engram row
    EXPECT_DOUBLE_EQ(row_bytes(130, Precision::fp8_tile), 138);           // two scales: a begun tile has a whole one
}

TEST_F(Precisions, of_experts_are_an_axis_and_time_and_bytes_follow) {
    const std::vector<PointResult> results =
        results_of(precision_scenario("{experts: fp8_block}") +
                   "axes: [{path: model.precision.experts, values: [bf16, fp8_block, mxfp4, nvfp4]}]\n");
    ASSERT_EQ(results.size(), 4u);
    std::vector<double> gigabytes, time;
    for (const PointResult& result : results) {
        ASSERT_EQ(result.reason, "");
        gigabytes.push_back(result.run->metrics.at("memory.hbm_gb"));
        time.push_back(result.run->metrics.at("decode.tpot_ms"));
    }
    // Routed experts are shared by eight ranks; each rank has the one shared expert of a layer whole.
    const Model model = load_model(kModels + "/v4-flash.yaml");
    const ParameterCount count = parameters(model);
    const double a_rank = (count.routed / 8 + count.shared) / 1e9;
    EXPECT_NEAR(gigabytes[0] - gigabytes[1], a_rank * (1 - 4.0 / 16384), 1e-6);
    EXPECT_NEAR(gigabytes[1] - gigabytes[2], a_rank * (1 + 4.0 / 16384 - 17.0 / 32), 1e-6);
    EXPECT_NEAR(gigabytes[3] - gigabytes[2], a_rank / 32, 1e-6);
    // Every expert is read at every step: the step streams fewer bytes. NVFP4's products are BF16, with BF16 tokens.
    EXPECT_LT(time[1], 0.85 * time[0]);
    EXPECT_LT(time[2], 0.95 * time[1]);
    EXPECT_GT(time[3], time[2]);
    EXPECT_LT(time[3], time[0]);
}

TEST_F(Precisions, of_nothing_but_the_weights_are_as_the_preset_has_them) {
    const Model preset = load_model(kModels + "/v4.1-flash.yaml");
    const Model model = model_of(precision_scenario("{experts: fp4_block}", "v4.1-flash"));
    EXPECT_EQ(kv_bytes_per_token(model), kv_bytes_per_token(preset));
    EXPECT_EQ(model.engram->row_bytes(), 264);
    EXPECT_EQ(model.activations_with(Precision::fp4_block), Precision::fp8_tile);
    EXPECT_EQ(model.activations_with(Precision::fp8_tensor), Precision::fp8_tensor);
    EXPECT_EQ(model.activations_with(Precision::bf16), Precision::bf16);
}

TEST_F(Precisions, of_what_is_kept_change_its_bytes) {
    const Model model = model_of(precision_scenario("{kv: fp8_tile, index_keys: bf16, engram: mxfp4}", "v4.1-flash"));
    EXPECT_DOUBLE_EQ(model.attention.entry_bytes, 448 + 4 * 4 + 128);  // 3.5 tiles have four scales
    EXPECT_DOUBLE_EQ(model.attention.indexer_key_bytes, 256);
    EXPECT_DOUBLE_EQ(model.engram->row_bytes(), 128 + 8);
    // Indexer's products follow: twice the bytes of a query, and BF16.
    for (const Op& op : step_ops(model, {.sequences = 1, .context = 8192}))
        if (op.name == "indexer_logits") {
            EXPECT_FALSE(kernel_work(op.shape).fp8);
        }
    EXPECT_DOUBLE_EQ(kv_bytes_per_token(model_of(precision_scenario("{kv: fp8_tile}", "v3"))), 61 * 656.0);
}

TEST_F(Precisions, of_activations_decide_how_products_run) {
    const auto products = [](const Model& model) {
        int fp8 = 0, bf16 = 0;
        for (const Op& op : step_ops(model, {.sequences = 8, .context = 64}))
            if (op.slot == Slot::experts && op.name != "experts_swiglu") ++(kernel_work(op.shape).fp8 ? fp8 : bf16);
        return std::pair(fp8 > 0, bf16 > 0);
    };
    const auto only_fp8 = std::pair(true, false), only_bf16 = std::pair(false, true);
    EXPECT_EQ(products(model_of(precision_scenario("{experts: mxfp4}"))), only_fp8);
    EXPECT_EQ(products(model_of(precision_scenario("{experts: mxfp4, activations: bf16}"))), only_bf16);
    EXPECT_EQ(products(model_of(precision_scenario("{experts: nvfp4}"))), only_bf16);
    EXPECT_EQ(products(model_of(precision_scenario("{experts: bf16, activations: fp8_tile}"))), only_bf16);
    // BF16 tokens are twice an FP8 one on their way to the experts: (1 + 4 / 128 + 2) against (2 + 2) bytes.
    const std::string wire = "kernels: {exchange: wire}\n";
    const double tiles = run_of(precision_scenario("{activations: fp8_tile}") + wire).metrics.at("network.scale_up_ms");
    const double plain = run_of(precision_scenario("{activations: bf16}") + wire).metrics.at("network.scale_up_ms");
    EXPECT_GT(plain, 1.1 * tiles);
    EXPECT_LT(plain, 4 / 3.03125 * tiles);
}

TEST_F(Precisions, that_are_unknown_or_supported_by_nothing_are_refused_at_their_place) {
    const auto expect = [&](const std::string& precision, const std::string& preset, const std::string& part) {
        const std::string error = error_of(precision_scenario(precision, preset));
        EXPECT_NE(error.find(part), std::string::npos) << error;
    };
    expect("{experts: mxfp3}", "v3",
           "model.precision.experts: expected one of bf16, fp8_tensor, fp8_block, fp4_block, mxfp4, nvfp4, int8, "
           "q4_k_m, two_bit, found "
           "'mxfp3'. Did you mean 'mxfp4'?");
    expect("{weights: fp8_tile}", "v3", "model.precision.weights: expected one of");
    expect("{gradients: bf16}", "v3", "model.precision.gradients: unknown field");
    expect("{experts: nvfp4, activations: fp8_tile}", "v3",
           "model.precision.activations: expected bf16, because such weights are widened to BF16");
    expect("{weights: bf16, experts: bf16, activations: fp8_tensor}", "v3",
           "model.precision.activations: expected bf16, because all weights are BF16, found fp8_tensor");
    expect("{index_keys: mxfp4}", "v3", "model.precision.index_keys: this model has no indexer");
    expect("{engram: mxfp8}", "v3", "model.precision.engram: this model has no Engram tables");
    expect("{kv: fp8_block}", "v3", "model.precision.kv: expected one of");
}

}  // namespace
}  // namespace strata
