#include "kernels/quant/quantise_blocks_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/quant/quantise_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

struct Quantised {
    std::vector<E4m3> codes;
    std::vector<float> scales;
};

Quantised emulated(const std::vector<Bf16>& in, QuantiseBlocksTask task, ThreadOrder order) {
    Quantised out{std::vector<E4m3>(in.size(), {0xFF}), std::vector<float>(std::size_t(scales_of(task)), -1)};
    task.in = in.data(), task.out = out.codes.data(), task.fp32 = out.scales.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) {
        if (task.side == 128)
            quantise_blocks<128>(t, task);
        else
            quantise_blocks<32>(t, task);
    });
    return out;
}

// Every block of 32x32 has a magnitude of its own, so that a scale of the wrong block is seen.
std::vector<Bf16> weights(long rows, long width) {
    std::mt19937_64 random(7);
    std::normal_distribution<float> values;
    std::vector<Bf16> all;
    for (long row = 0; row < rows; ++row)
        for (long x = 0; x < width; ++x) all.push_back(to_bf16(values(random) * float(1 + row / 32 * 3 + x / 32 * 5)));
    return all;
}

std::vector<double> as_double(const std::vector<Bf16>& in) {
    std::vector<double> all;
    for (const Bf16 x : in) all.push_back(to_float(x));
    return all;
}

TEST(QuantiseBlocks, matches_the_reference_in_every_thread_order) {
    const long width = 256;
    for (const long rows : {1, 128, 167})  // 167: the last blocks have 39 rows, or 7
        for (const int side : {128, 32})
            for (const bool power_of_two : {false, true})
                for (const ThreadOrder order : kThreadOrders) {
                    const std::vector<Bf16> in = weights(rows, width);
                    const Quantised is =
                        emulated(in, {.rows = rows, .width = width, .power_of_two = power_of_two, .side = side}, order);
                    const auto should = reference::quantise(as_double(in), rows, width, side, power_of_two, side);
                    ASSERT_EQ(is.scales.size(), should.scales.size());
                    for (std::size_t i = 0; i < is.scales.size(); ++i)
                        EXPECT_NEAR(is.scales[i], should.scales[i], 1e-6 * should.scales[i]);
                    // x * (1 / scale) in float may fall on the other side of a tie, and ratios of BF16 numbers tie
                    // often: then the code is a neighbour.
                    std::size_t beside = 0;
                    for (std::size_t i = 0; i < is.codes.size(); ++i) {
                        beside += to_float(is.codes[i]) != should.codes[i];
                        EXPECT_NEAR(to_float(is.codes[i]), should.codes[i], std::abs(should.codes[i]) / 8 + 0x1p-9);
                    }
                    EXPECT_LE(beside, power_of_two ? 0 : is.codes.size() / 200);
                }
}

TEST(QuantiseBlocks, writes_exponents_and_rows_of_scales_with_a_stride) {
    const long rows = 130, width = 128;
    std::vector<Bf16> in(std::size_t(rows * width), to_bf16(448));
    in[129 * 128 + 5] = to_bf16(-896);  // alone in the second band: twice the scale
    QuantiseBlocksTask task{.in = in.data(), .rows = rows, .width = width, .stride = 4};
    std::vector<E4m3> codes(in.size());
    std::vector<Ue8m0> scales(std::size_t(scales_of(task)), Ue8m0{0xEE});
    task.out = codes.data(), task.ue8m0 = scales.data();
    require_valid(task);
    emulate(grid_of(task), ThreadOrder::reversed, [&](EmulatedThread& t) { quantise_blocks<128>(t, task); });
    ASSERT_EQ(scales.size(), 8u);
    EXPECT_EQ(scales[0].bits, 127);
    EXPECT_EQ(scales[1].bits, 0xEE);
    EXPECT_EQ(scales[4].bits, 128);
    EXPECT_EQ(to_float(codes[0]), 448);
    EXPECT_EQ(to_float(codes[129 * 128]), 224);
    EXPECT_EQ(to_float(codes[129 * 128 + 5]), -448);
}

TEST(QuantiseBlocks, a_nan_stays_seen_and_the_scale_finite) {
    std::vector<Bf16> in(128, to_bf16(1.0f));
    in[5] = {0x7FC0};
    const Quantised is = emulated(in, {.rows = 1, .width = 128}, ThreadOrder::forward);
    EXPECT_TRUE(std::isnan(to_float(is.codes[5])));
    EXPECT_TRUE(std::isfinite(is.scales[0]));
}

TEST(QuantiseBlocks, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(QuantiseBlocksTask{.rows = 1, .width = 96}), std::invalid_argument);
    EXPECT_THROW(require_valid(QuantiseBlocksTask{.rows = 1, .width = 128}), std::invalid_argument);  // no buffers
    EXPECT_THROW(require_valid(QuantiseBlocksTask{.rows = 0, .width = 128, .side = 64}), std::invalid_argument);
    EXPECT_THROW(require_valid(QuantiseBlocksTask{.rows = 0, .width = 512, .stride = 3}), std::invalid_argument);
    EXPECT_NO_THROW(require_valid(QuantiseBlocksTask{.rows = 0, .width = 128}));
}

}  // namespace
}  // namespace strata
