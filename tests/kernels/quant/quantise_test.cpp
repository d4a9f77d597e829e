#include "kernels/quant/quantise_body.hpp"

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

Quantised emulated(const std::vector<Bf16>& in, long rows, long width, bool power_of_two, ThreadOrder order,
                   ScaleLayout layout = ScaleLayout::row_major) {
    Quantised out;
    QuantiseTilesTask task{.rows = rows, .width = width, .power_of_two = power_of_two, .layout = layout};
    out.codes.assign(in.size(), {0xFF});
    out.scales.assign(std::size_t(scales_of(task)), -1);
    task.in = in.data(), task.out = out.codes.data(), task.scales = out.scales.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { quantise_tiles(t, task); });
    return out;
}

std::vector<Bf16> normal(std::size_t count) {
    std::mt19937_64 random(7);
    std::normal_distribution<float> values;
    std::vector<Bf16> all(count);
    for (Bf16& one : all) one = to_bf16(values(random));
    return all;
}

std::vector<double> as_double(const std::vector<Bf16>& in) {
    std::vector<double> all;
    for (const Bf16 x : in) all.push_back(to_float(x));
    return all;
}

TEST(QuantiseTiles, matches_the_reference_in_every_thread_order) {
    const long rows = 13, width = 384;  // 39 tiles: the last block is not full
    const std::vector<Bf16> in = normal(std::size_t(rows * width));
    for (const bool power_of_two : {false, true})
        for (const ThreadOrder order : kThreadOrders) {
            const Quantised is = emulated(in, rows, width, power_of_two, order);
            const auto should = reference::quantise(as_double(in), rows, width, 1, power_of_two);
            for (std::size_t i = 0; i < is.scales.size(); ++i)
                EXPECT_NEAR(is.scales[i], should.scales[i], 1e-6 * should.scales[i]);
            int beside = 0;  // x * (1 / scale) in float may fall on the other side of a tie
            for (std::size_t i = 0; i < is.codes.size(); ++i) beside += to_float(is.codes[i]) != should.codes[i];
            EXPECT_LE(beside, power_of_two ? 0 : 5);
        }
}

// A tile whose largest magnitude is 448 has scale 1: its codes are the numbers themselves.
TEST(QuantiseTiles, keeps_numbers_that_e4m3_has) {
    std::vector<Bf16> in(128, to_bf16(0.0f));
    in[0] = to_bf16(-448), in[1] = to_bf16(1.125f), in[127] = to_bf16(0x1p-9f);
    const Quantised is = emulated(in, 1, 128, false, ThreadOrder::forward);
    EXPECT_EQ(is.scales[0], 1.0f);
    EXPECT_EQ(to_float(is.codes[0]), -448.0f);
    EXPECT_EQ(to_float(is.codes[1]), 1.125f);
    EXPECT_EQ(to_float(is.codes[127]), 0x1p-9f);
}

TEST(QuantiseTiles, writes_scales_by_column_with_rows_padded_to_four) {
    const std::vector<Bf16> in = normal(5 * 256);
    const Quantised rows = emulated(in, 5, 256, false, ThreadOrder::forward);
    const Quantised columns = emulated(in, 5, 256, false, ThreadOrder::forward, ScaleLayout::column_major);
    ASSERT_EQ(columns.scales.size(), 16u);
    for (std::size_t row = 0; row < 5; ++row)
        for (std::size_t tile = 0; tile < 2; ++tile)
            EXPECT_EQ(columns.scales[tile * 8 + row], rows.scales[row * 2 + tile]);
    EXPECT_EQ(columns.scales[7], -1);  // padding is nobody's
}

TEST(QuantiseTiles, a_nan_stays_seen) {
    std::vector<Bf16> in(128, to_bf16(1.0f));
    in[5] = {0x7FC0};
    const Quantised is = emulated(in, 1, 128, false, ThreadOrder::forward);
    EXPECT_TRUE(std::isnan(to_float(is.codes[5])));
}

TEST(QuantiseTiles, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(QuantiseTilesTask{.rows = 1, .width = 100}), std::invalid_argument);
    EXPECT_THROW(require_valid(QuantiseTilesTask{.rows = 1, .width = 128}), std::invalid_argument);  // no buffers
    EXPECT_NO_THROW(require_valid(QuantiseTilesTask{.rows = 0, .width = 128}));
}

}  // namespace
}  // namespace strata
