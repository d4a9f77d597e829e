#include "sim/quality/precision_law.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "app/measure/precision.hpp"
#include "hwmodels/input_error.hpp"

namespace strata {
namespace {

const PrecisionLaw& precision_law() {
    static const PrecisionLaw shipped(std::string(STRATA_SOURCE_DIR) + "/sim/quality/precision_anchors.yaml");
    return shipped;
}
Model preset_named(const std::string& name) {
    return load_model(std::string(STRATA_SOURCE_DIR) + "/scenarios/models/" + name + ".yaml");
}
double percent_of(Precision weights, Precision activations) {
    return precision_law().loss_effect(precision_law().noise(weights, activations, 4096)).percent;
}

TEST(PrecisionLaw, holds_the_noise_that_dot_products_have) {
    // The shipped anchors against products made now. Of 128 products the variance is known to 12 %: twice that, in
    // dB 1.
    using enum Precision;
    for (const auto& [weights, activations] :
         {std::pair{fp8_block, fp8_tile}, {fp8_tensor, fp8_tensor}, {fp4_block, fp8_tile}, {nvfp4, bf16}}) {
        const double error =
            dot_error(DataShape::normal, activations, weights, Accumulation::fp32, 4096, 1).relative_error;
        EXPECT_NEAR(10 * std::log10(precision_law().noise(weights, activations, 4096, SumKeeper::fp32).normal /
                                    (error * error)),
                    0, 1)
            << int(weights);
    }
}

TEST(PrecisionLaw, holds_the_errors_of_sums_that_the_measurement_gives) {
    const auto extra = [](SumKeeper keeper) {
        return precision_law().noise(Precision::fp8_tensor, Precision::fp8_tensor, 1024, keeper).normal -
               precision_law().noise(Precision::fp8_tensor, Precision::fp8_tensor, 1024, SumKeeper::fp32).normal;
    };
    const auto measured = [](Accumulation accumulation) {
        const double error =
            dot_error(DataShape::normal, Precision::fp8_tensor, Precision::fp8_tensor, accumulation, 1024, 1)
                .accumulation_error;
        return error * error;
    };
    EXPECT_GT(extra(SumKeeper::hopper), extra(SumKeeper::promoted));
    EXPECT_NEAR(extra(SumKeeper::hopper) / measured(Accumulation::hopper_fp8), 1, 0.5);
    EXPECT_NEAR(extra(SumKeeper::promoted) / measured(Accumulation::hopper_fp8_promoted), 1, 0.5);
}

TEST(PrecisionLaw, predicts_the_published_losses_that_it_is_not_fitted_on) {
    for (const PublishedLoss& one : precision_law().published()) {
        const double predicted = percent_of(one.weights, one.activations);
        if (one.bound)
            EXPECT_LT(predicted, one.percent) << one.name;
        else
            EXPECT_NEAR(predicted, one.percent, 0.15 * one.percent) << one.name;
    }
}

TEST(PrecisionLaw, of_deepseeks_fp8_is_bounded_by_what_was_published) {
    const LossEffect effect =
        precision_law().loss_effect(precision_law().noise(Precision::fp8_block, Precision::fp8_tile, 4096));
    EXPECT_GT(effect.percent, 0.05);
    EXPECT_NEAR(effect.high, 0.25, 1e-9);
    EXPECT_EQ(effect.low, 0);
    EXPECT_FALSE(effect.outside);
}

TEST(PrecisionLaw, is_zero_for_bf16_and_grows_with_the_noise) {
    using enum Precision;
    EXPECT_EQ(percent_of(bf16, bf16), 0);
    EXPECT_LT(percent_of(fp8_block, fp8_tile), percent_of(nvfp4, fp8_tile));
    EXPECT_LT(percent_of(nvfp4, fp8_tile), percent_of(fp4_block, fp8_tile));
    EXPECT_LT(percent_of(fp4_block, fp8_tile), percent_of(fp4_block, fp4_block));
}

TEST(PrecisionLaw, weighs_classes_by_the_parameters_that_a_token_meets) {
    for (const char* name : {"v4-flash", "v3", "dense-4b", "v4.1-flash"}) {
        const Model model = preset_named(name);
        double shares = 0;
        for (const PrecisionClass& one : precision_classes(model)) shares += one.share;
        EXPECT_NEAR(shares, 1, 1e-12) << name;
    }
    // All of v3 in FP8 but head and router: below the product's own effect, by just that share.
    Model model = preset_named("v3");
    model.weights = model.experts = Precision::fp8_block;
    const double product =
        precision_law().loss_effect(precision_law().noise(Precision::fp8_block, Precision::fp8_tile, 7168)).percent;
    EXPECT_NEAR(precision_law().loss_effect(model).percent, product * (1 - precision_classes(model).back().share),
                1e-9);
}

TEST(PrecisionLaw, of_fp4_experts_is_wider_than_of_fp8_and_within_the_reach) {
    const LossEffect fp4 = precision_law().loss_effect(preset_named("v4-flash"));
    Model model = preset_named("v4-flash");
    model.experts = Precision::fp8_block;
    const LossEffect fp8 = precision_law().loss_effect(model);
    EXPECT_GT(fp4.percent, fp8.percent);
    EXPECT_GT(fp4.high - fp4.low, fp8.high - fp8.low);
    EXPECT_LE(fp8.high, 0.25);
    EXPECT_FALSE(fp4.outside);
    EXPECT_TRUE(precision_law().loss_effect(NoisePower{0.05, 0.05, 0.05}).outside);
}

TEST(PrecisionLaw, says_that_it_does_not_know_what_was_not_measured) {
    Model model = preset_named("v3");
    model.experts = Precision::q4_k_m;
    try {
        precision_law().loss_effect(model);
        FAIL() << "a guess";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("q4_k_m was not measured"), std::string::npos) << error.what();
    }
}

TEST(PrecisionLaw, knows_its_keepers_of_sums_by_name) {
    EXPECT_EQ(sum_keeper_of("hopper"), SumKeeper::hopper);
    EXPECT_THROW(sum_keeper_of("fp31"), InputError);
}

}  // namespace
}  // namespace strata
