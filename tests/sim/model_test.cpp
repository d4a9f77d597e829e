#include <gtest/gtest.h>

#include <functional>

#include "sim/model/accounting.hpp"
#include "sim/model/step_ops.hpp"

namespace strata {
namespace {

Model model_preset(const std::string& name) {
    return load_model(std::string(STRATA_SOURCE_DIR) + "/scenarios/models/" + name + ".yaml");
}

void expect_within(double value, double published, double share) { EXPECT_NEAR(value, published, published * share); }

TEST(Engram, rows_of_v4_1_flash_are_the_released_prime_sums) {
    EXPECT_EQ(engram_rows(model_preset("v4.1-flash")), (std::vector<long long>{384006168, 384016682}));
    // The paper's models by the same rule, computed apart from this code.
    EXPECT_EQ(engram_rows(model_preset("engram-27b")), (std::vector<long long>{36199972, 36204260}));
    EXPECT_EQ(engram_rows(model_preset("engram-40b")), (std::vector<long long>{115837464, 115841428}));
}

TEST(Engram, tables_of_the_papers_models_have_the_published_size) {
    // Slots x 1280 x 2 layers: 2,262,400 -> 5.79 B, 7,239,680 -> 18.53 B; v4.1-flash 196.6 B.
    expect_within(parameters(model_preset("engram-27b")).engram_tables, 5.79e9, 0.001);
    expect_within(parameters(model_preset("engram-40b")).engram_tables, 18.53e9, 0.001);
    expect_within(parameters(model_preset("v4.1-flash")).engram_tables, 196.6e9, 0.001);
}

TEST(KvCache, bytes_per_token_are_the_published_ones) {
    EXPECT_DOUBLE_EQ(kv_bytes_per_token(model_preset("v3")), 70272);                  // 61 * 576 * 2
    EXPECT_DOUBLE_EQ(kv_bytes_per_token(model_preset("v3.2")), 48068);                // 61 * (656 + 132)
    EXPECT_EQ(std::floor(kv_bytes_per_token(model_preset("v4-flash"))), 3514);        // 21 * 652 / 4 + 20 * 584 / 128
    EXPECT_EQ(std::floor(kv_bytes_per_token(model_preset("v4-pro"))), 5031);          // 30 * 652 / 4 + 31 * 584 / 128
    EXPECT_DOUBLE_EQ(kv_bytes_per_token(model_preset("v4.1-flash")), 890);            // (3 / 2 + 1) * (288 + 68)
    EXPECT_DOUBLE_EQ(window_bytes(model_preset("v4-flash"), 1e6), 43 * 128 * 584.0);  // not only of the two SWA layers
    EXPECT_DOUBLE_EQ(window_bytes(model_preset("v4-flash"), 10), 43 * 10 * 584.0);
    EXPECT_EQ(window_bytes(model_preset("v3.2"), 1e6), 0);
}

TEST(Parameters, of_v3_v4_flash_and_v4_1_flash_are_within_a_percent_of_the_published_totals) {
    expect_within(parameters(model_preset("v3")).total(), 671e9, 0.01);
    expect_within(parameters(model_preset("v4-flash")).total(), 284e9, 0.01);
    expect_within(parameters(model_preset("v4.1-flash")).backbone(), 552e9, 0.01);
}

TEST(Parameters, of_v4_pro_with_its_mtp_layer_are_the_published_1_6_t) {
    // 1.6 T has two digits, so +-0.05 T is all that it can tell. By the published dimensions the main model is 1.573 T,
    // which rounds to 1.6 as well; with the MTP layer it is 1.599 T. Both sums are held here, not the claim that the
    // published figure counts the layer.
    const Model model = model_preset("v4-pro");
    EXPECT_NEAR(parameters(model).total(), 1.573e12, 0.0005e12);
    EXPECT_NEAR(parameters(model).total() + mtp_parameters(model).total(), 1.599e12, 0.0005e12);
}

TEST(Mtp, of_v3_has_the_published_size_and_is_not_in_the_main_total) {
    // README_WEIGHTS.md of DeepSeek-V3: 11.5 B unique parameters besides the shared embedding and head. By hand:
    // 257 experts of 3 x 7168 x 2048 (11.318 B), attention 0.187 B, projection 2 x 7168^2 (0.103 B), router 0.002 B.
    Model model = model_preset("v3");
    expect_within(mtp_parameters(model).total(), 11.5e9, 0.01);
    EXPECT_NEAR(mtp_parameters(model).total(), 11.610e9, 0.001e9);
    EXPECT_EQ(mtp_parameters(model).head + mtp_parameters(model).embedding, 0);
    const double with = parameters(model).total();
    const Bytes other = weight_bytes(model).other;
    EXPECT_GT(weight_bytes(model).mtp, 11.5_GB);
    model.mtp.reset();
    EXPECT_EQ(parameters(model).total(), with);
    EXPECT_EQ(weight_bytes(model).other, other);
    EXPECT_EQ(weight_bytes(model).mtp, Bytes(0));
}

TEST(Mtp, runs_in_a_step_only_if_asked_for_and_does_the_flops_of_its_block) {
    const Model model = model_preset("v3");
    const auto flops = [&](bool mtp) {
        double sum = 0;
        for (const Op& op : step_ops(model, {.sequences = 1, .queries = 1, .context = 0, .drafts = mtp ? 1 : 0}))
            sum += work_of(op.shape).flops.si();
        return sum;
    };
    Model without = model;
    without.mtp.reset();
    EXPECT_EQ(step_ops(model, {}).size(), step_ops(without, {}).size());
    // Two FLOPs a parameter of the block and of the shared head; the attention over one cached token is nothing.
    const double expected = 2 * (mtp_parameters(model).active_decode + parameters(model).head);
    EXPECT_NEAR((flops(true) - flops(false)) / expected, 1, 0.01);
}

TEST(Parameters, active_for_a_token_are_near_the_published_ones) {
    // Published as whole billions, so half a billion of rounding is allowed beside 1 %.
    EXPECT_NEAR(parameters(model_preset("v3")).active_decode, 37e9, 0.5e9 + 0.37e9);
    EXPECT_NEAR(parameters(model_preset("v4-pro")).active_decode, 49e9, 0.5e9 + 0.49e9);
    EXPECT_NEAR(parameters(model_preset("v4-flash")).active_decode, 13e9, 0.5e9 + 0.13e9);
    EXPECT_NEAR(parameters(model_preset("v4.1-flash")).active_decode, 16e9, 0.5e9 + 0.16e9);
    EXPECT_NEAR(parameters(model_preset("v4.1-flash")).active_prefill, 8e9,
                0.1e9);  // 7.92 B: 8 B is given with one digit
}

TEST(Flops, to_train_v3_on_a_token_are_250_gflop) {
    // arXiv 2505.09343, table 2, sequences of 4096.
    expect_within(training_flops(model_preset("v3"), 4096), 250e9, 0.02);
}

TEST(Flops, of_v4_at_a_million_tokens_are_the_published_shares_of_v3_2) {
    // arXiv 2606.19348, section 1: 27 % (Pro) and 10 % (Flash), FP8-equivalent.
    const double base = decode_flops(model_preset("v3.2"), 1e6, true);
    EXPECT_NEAR(100 * decode_flops(model_preset("v4-pro"), 1e6, true) / base, 27, 2);
    EXPECT_NEAR(100 * decode_flops(model_preset("v4-flash"), 1e6, true) / base, 10, 2);
}

TEST(Allocation, moves_parameters_between_experts_and_rows_and_keeps_their_sum) {
    const Model model = model_preset("v4.1-flash");
    const ParameterCount before = parameters(model);
    for (const double rho : {0.4, 0.6, 0.731, 0.9}) {
        const ParameterCount after = parameters(with_allocation(model, rho));
        // Router rows follow the expert count; they are 0.1 % of an expert.
        expect_within(after.total(), before.total(), 0.0005);
        expect_within(after.active_decode, before.active_decode, 0.005);
        const double sparse_experts = after.routed * (1 - 6 / (with_allocation(model, rho).ffn.experts));
        EXPECT_NEAR(sparse_experts / (sparse_experts + after.engram_tables), rho, 0.002);
    }
    EXPECT_THROW(with_allocation(model_preset("dense-4b"), 0.5), InputError);
}

TEST(StepOps, of_a_decode_step_do_the_flops_of_the_accounting) {
    // mHC mixing, gates and the softmax-free parts are in the ops only: within 3 %.
    for (const char* name : {"v3", "v3.2", "v4-flash", "v4-pro", "engram-27b"}) {
        const Model model = model_preset(name);
        double flops = 0;
        for (const Op& op : step_ops(model, {.sequences = 4, .queries = 1, .context = 8192}))
            flops += work_of(op.shape).flops.si();
        EXPECT_NEAR(flops / 4 / decode_flops(model, 8192), 1, 0.03) << name;
    }
}

TEST(StepOps, read_no_more_weights_than_the_model_has) {
    const Model model = model_preset("v4.1-flash");
    double experts = 0;
    for (const Op& op : step_ops(model, {.sequences = 1e5, .queries = 1, .context = 4096}))
        if (op.name == "experts_down") experts += std::get<GroupedGemm>(op.shape).groups;
    EXPECT_NEAR(experts, 384.0 * 40, 1e-3);
}

TEST(Presets, all_load_and_hold_their_named_size) {
    for (const auto& [name, size] : std::vector<std::pair<std::string, double>>{{"v4-seed", 1.5e12},
                                                                                {"engram-27b", 26.7e9},
                                                                                {"engram-40b", 39.5e9},
                                                                                {"moe-27b", 26.7e9},
                                                                                {"dense-4b", 4.1e9},
                                                                                {"dense-8b", 8e9}})
        EXPECT_NEAR(parameters(model_preset(name)).total() / size, 1, 0.05) << name;
}

std::string model_error(std::string from, const std::string& to) {
    std::string text =
        "name: t\nhidden: 8\nlayers: 2\nvocab: 16\nattention:\n  pattern: [{kinds: [mla], times: 2}]\n  heads: 2\n  "
        "entry_bytes: 4\n"
        "ffn: {dense_width: 8}\nprecision: {weights: bf16, experts: bf16}\n";
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    Problems problems;
    read_model(YamlField(parse_yaml(text, "m.yaml"), "m.yaml", "", problems));
    return problems.empty() ? "" : problems.messages().front();
}

TEST(ModelFile, says_where_and_what_is_wrong) {
    EXPECT_EQ(model_error("", ""), "");
    EXPECT_EQ(model_error("hidden: 8", "hiden: 8"), "m.yaml:2:1: hiden: unknown field; did you mean 'hidden'?");
    EXPECT_NE(model_error("[mla]", "[mlaa]").find("m.yaml:6:"), std::string::npos);
    EXPECT_NE(model_error("[mla]", "[mlaa]").find("Did you mean 'mla'?"), std::string::npos);
    EXPECT_NE(model_error("times: 2", "times: 1").find("expected 2 layers in all, found 1"), std::string::npos);
    EXPECT_NE(model_error("hidden: 8", "hidden: wide").find("expected a number, found 'wide'"), std::string::npos);
    EXPECT_NE(model_error("hidden: 8\n", "").find("hidden: expected a number, found nothing"), std::string::npos);
    for (const char* buckets : {"7e27", "-7e27", "0", "1.5"})
        EXPECT_NE(
            model_error("ffn: {", "engram: {layers: [1], orders: 2, heads: 2, row_dim: 4, row_bytes: 8, buckets: " +
                                      std::string(buckets) + "}\nffn: {")
                .find("engram.buckets: expected a whole number from 1 to 1000000000000"),
            std::string::npos)
            << buckets;
}

}  // namespace
}  // namespace strata
