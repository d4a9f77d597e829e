#include "kernels/quant/swiglu_quantise_body.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/quant/quantise_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

struct Quantised {
    std::vector<E4m3> codes;
    std::vector<float> scales;
};

Quantised emulated(const std::vector<Bf16>& in, long rows, long width, float limit, bool power_of_two,
                   ThreadOrder order) {
    SwigluQuantiseTask task{
        .in = in.data(), .scales = {.power_of_two = power_of_two}, .rows = rows, .width = width, .limit = limit};
    Quantised out{std::vector<E4m3>(std::size_t(rows * width), {0xFF}),
                  std::vector<float>(std::size_t(scales_of(task)), -1)};
    task.out = out.codes.data(), task.scales.fp32 = out.scales.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { swiglu_quantise(t, task); });
    return out;
}

// gate 0 gives 0; gate 20 (silu is 20 to 2e-9) is clamped to 10 by a limit of 10, up -30 to -10.
TEST(Swiglu, clamps_the_gate_above_and_the_up_both_ways) {
    EXPECT_EQ(swiglu(0, 5, kNoSwigluLimit), 0);
    EXPECT_NEAR(swiglu(20, -30, kNoSwigluLimit), -600, 1e-3);
    EXPECT_NEAR(swiglu(20, -30, 10), -100 / (1 + std::exp(-10.0)), 1e-3);
    EXPECT_NEAR(swiglu(20, 30, 10), 100 / (1 + std::exp(-10.0)), 1e-3);
    EXPECT_NEAR(swiglu(-20, 30, 10), -200 / (1 + std::exp(20.0)), 1e-12);  // a gate is not clamped below
    EXPECT_TRUE(std::isnan(swiglu(NAN, 1, 10)));
    EXPECT_TRUE(std::isnan(swiglu(1, NAN, 10)));
}

TEST(SwigluQuantise, matches_the_reference_in_every_thread_order) {
    const long rows = 7, width = 384;  // 21 tiles: most of the block's 64 are not there
    std::mt19937_64 random(5);
    std::normal_distribution<float> values(0, 6);
    std::vector<Bf16> in;
    std::vector<double> exact;
    for (long i = 0; i < rows * 2 * width; ++i) in.push_back(to_bf16(values(random)));
    for (const Bf16 x : in) exact.push_back(to_float(x));
    for (const float limit : {10.0f, kNoSwigluLimit}) {
        const auto products = reference::swiglu(exact, rows, width, limit);
        for (const bool power_of_two : {false, true}) {
            const auto should = reference::quantise(products, rows, width, 1, power_of_two);
            for (const ThreadOrder order : kThreadOrders) {
                const Quantised is = emulated(in, rows, width, limit, power_of_two, order);
                for (std::size_t i = 0; i < is.scales.size(); ++i)
                    EXPECT_NEAR(is.scales[i], should.scales[i], 1e-6 * should.scales[i]);
                int beside = 0;  // products in float may fall on the other side of a tie: by one step
                for (std::size_t i = 0; i < is.codes.size(); ++i) {
                    beside += to_float(is.codes[i]) != should.codes[i];
                    EXPECT_NEAR(to_float(is.codes[i]), should.codes[i], 0x1p-9 + std::abs(should.codes[i]) / 8);
                }
                EXPECT_LE(beside, 5);
            }
        }
    }
}

TEST(SwigluQuantise, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(SwigluQuantiseTask{.rows = 1, .width = 100}), std::invalid_argument);
    EXPECT_THROW(require_valid(SwigluQuantiseTask{.rows = 1, .width = 128}), std::invalid_argument);
    EXPECT_THROW(require_valid(SwigluQuantiseTask{.rows = 0, .width = 128, .limit = 0}), std::invalid_argument);
    EXPECT_NO_THROW(require_valid(SwigluQuantiseTask{.rows = 0, .width = 128}));
}

}  // namespace
}  // namespace strata
