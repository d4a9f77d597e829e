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
    QuantiseTilesTask task{.scales = {.power_of_two = power_of_two, .layout = layout}, .rows = rows, .width = width};
    out.codes.assign(in.size(), {0xFF});
    out.scales.assign(std::size_t(scales_of(task)), -1);
    task.in = in.data(), task.out = out.codes.data(), task.scales.fp32 = out.scales.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { quantise_tiles(t, task); });
    return out;
}

std::vector<std::uint8_t> emulated_exponents(const std::vector<Bf16>& in, long rows, long width, ScaleLayout layout,
                                             bool packed) {
    QuantiseTilesTask task{.scales = {.layout = layout, .packed = packed}, .rows = rows, .width = width};
    std::vector<E4m3> codes(in.size());
    std::vector<std::uint32_t> words(std::size_t(scales_of(task) + 3) / 4, 0xEEEEEEEE);
    task.in = in.data(), task.out = codes.data(), task.scales.ue8m0 = reinterpret_cast<Ue8m0*>(words.data());
    require_valid(task);
    emulate(grid_of(task), ThreadOrder::shuffled, [&](EmulatedThread& t) { quantise_tiles(t, task); });
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(words.data());
    return {bytes, bytes + scales_of(task)};
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

// Row r has only 448 * 2^r and its negative: the scale of tile t is 2^(r + t) where that tile is 2^t larger.
TEST(QuantiseTiles, writes_exponents_as_bytes_or_four_to_a_word) {
    const long rows = 3, tiles = 5;
    std::vector<Bf16> in;
    for (long row = 0; row < rows; ++row)
        for (long x = 0; x < tiles * 128; ++x) in.push_back(to_bf16(448 * std::exp2(float(row + x / 128))));
    const auto exponent = [](long row, long tile) { return std::uint8_t(127 + row + tile); };

    const auto bytes = emulated_exponents(in, rows, tiles * 128, ScaleLayout::row_major, false);
    const auto columns = emulated_exponents(in, rows, tiles * 128, ScaleLayout::column_major, false);
    const auto words = emulated_exponents(in, rows, tiles * 128, ScaleLayout::row_major, true);
    const auto word_columns = emulated_exponents(in, rows, tiles * 128, ScaleLayout::column_major, true);
    ASSERT_EQ(bytes.size(), 15u);
    ASSERT_EQ(columns.size(), 20u);       // rows padded to 4
    ASSERT_EQ(words.size(), 24u);         // 2 words a row
    ASSERT_EQ(word_columns.size(), 32u);  // 2 columns of 4 words
    for (long row = 0; row < rows; ++row)
        for (long tile = 0; tile < 8; ++tile) {
            const std::uint8_t should = tile < tiles ? exponent(row, tile) : 0;
            EXPECT_EQ(words[std::size_t(row * 8 + tile)], should);
            EXPECT_EQ(word_columns[std::size_t((tile / 4 * 4 + row) * 4 + tile % 4)], should);
            if (tile >= tiles) continue;
            EXPECT_EQ(bytes[std::size_t(row * tiles + tile)], should);
            EXPECT_EQ(columns[std::size_t(tile * 4 + row)], should);
        }
    EXPECT_EQ(word_columns[12], 0xEE);  // the padding row is nobody's
}

// Rounding to nearest even errs by at most half a step either way, and in the mean by nothing: over n codes the mean
// error in steps has a deviation of 1 / sqrt(12 n). Tried for signed errors and for errors away from zero.
TEST(QuantiseTiles, rounds_without_bias) {
    std::mt19937_64 random(3);
    std::uniform_real_distribution<float> values(-6, 6);
    const long rows = 64, width = 1024, count = rows * width;
    std::vector<Bf16> in(std::size_t(count), Bf16{});
    for (Bf16& one : in) one = to_bf16(values(random));
    const Quantised is = emulated(in, rows, width, false, ThreadOrder::forward);
    double signed_error = 0, outward = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
        const double code = to_float(is.codes[i]), exact = to_float(in[i]) / double(is.scales[i / 128]);
        const double step = std::exp2(std::max(std::floor(std::log2(std::abs(exact))), -6.0) - 3);
        const double error = (code - exact) / step;
        EXPECT_LE(std::abs(error), 0.5 + 1e-4);
        signed_error += error;
        outward += exact < 0 ? -error : error;
    }
    const double allowed = 4.5 / std::sqrt(12.0 * double(count));
    EXPECT_LE(std::abs(signed_error / double(count)), allowed);
    EXPECT_LE(std::abs(outward / double(count)), allowed);
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
    float fp32 = 0;
    Ue8m0 ue8m0{};
    EXPECT_NO_THROW(require_valid(TileScales{.fp32 = &fp32}, "test"));
    EXPECT_THROW(require_valid(TileScales{.fp32 = &fp32, .ue8m0 = &ue8m0}, "test"), std::invalid_argument);
    EXPECT_THROW(require_valid(TileScales{.fp32 = &fp32, .packed = true}, "test"), std::invalid_argument);
}

}  // namespace
}  // namespace strata
