#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/gemm/grouped_fp8_body.hpp"
#include "kernels/gemm/grouped_fp8_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

// Operands whose scales differ by place, so that a scale of the wrong row, column or group is seen.
struct Problem {
    Problem(long rows, int n, int k, int groups, long a_groups, unsigned seed = 3)
        : a(std::size_t(a_groups * rows * k)),
          b(std::size_t(groups) * n * k),
          a_scales(std::size_t(a_groups * scale_rows(rows) * (k / 128)), std::nanf("")),  // padding is not to be read
          b_scales(std::size_t(groups) * ((n + 127) / 128) * scale_blocks(k), std::nanf("")),
          out(std::size_t(a_groups * rows * n), Bf16{0xFFFF}) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal(0, 32);
        std::uniform_real_distribution<float> scale(0.01f, 0.1f);
        for (E4m3& x : a) x = to_e4m3(normal(random));
        for (E4m3& x : b) x = to_e4m3(normal(random));
        for (long group = 0; group < a_groups; ++group)
            for (long block = 0; block < k / 128; ++block)
                for (long row = 0; row < rows; ++row)
                    a_scales[std::size_t((group * (k / 128) + block) * scale_rows(rows) + row)] = scale(random);
        for (long row = 0; row < groups * ((n + 127) / 128); ++row)
            for (long block = 0; block < k / 128; ++block)
                b_scales[std::size_t(row * scale_blocks(k) + block)] = scale(random);
        task = {.a = a.data(),
                .a_scales = a_scales.data(),
                .b = b.data(),
                .b_scales = b_scales.data(),
                .out = out.data(),
                .rows = rows,
                .n = n,
                .k = k,
                .groups = groups};
    }

    // The largest difference of a row of out from its definition, over the size of a typical element.
    double error_of_row(long a_group, long row, int group) const {
        const long k = task.k, n = task.n, blocks = k / 128, bands = (n + 127) / 128;
        std::vector<double> left, scales;
        for (long x = 0; x < k; ++x) left.push_back(to_float(a[std::size_t((a_group * task.rows + row) * k + x)]));
        for (long x = 0; x < blocks; ++x)
            scales.push_back(a_scales[std::size_t((a_group * blocks + x) * scale_rows(task.rows) + row)]);
        double worst = 0, squares = 0;
        for (long column = 0; column < n; ++column) {
            const auto right = b.begin() + (group * n + column) * k;
            const auto right_scales = b_scales.begin() + (group * bands + column / 128) * scale_blocks(task.k);
            std::vector<double> numbers;
            for (long x = 0; x < k; ++x) numbers.push_back(to_float(right[x]));
            const double should = reference::scaled_dot(left, scales, numbers, {right_scales, right_scales + blocks});
            const double is = to_float(out[std::size_t((a_group * task.rows + row) * n + column)]);
            const double error = std::fabs(is - should) - std::fabs(should) / 256;  // half a unit of BF16
            worst = std::isnan(error) ? INFINITY : std::fmax(worst, error);
            squares += should * should;
        }
        return worst / std::sqrt(squares / double(n));
    }

    std::vector<E4m3> a, b;
    std::vector<float> a_scales, b_scales;
    std::vector<Bf16> out;
    GroupedFp8Task task;
};

// Beyond the rounding of the result to BF16: what FP32 sums lose.
constexpr double kTolerance = 1e-4;

template <class Tile>
void run(const GroupedFp8Task& task, ThreadOrder order, Tile tile) {
    require_valid(task);
    const GroupedFp8Operands operands = operands_of(task, tile);
    emulate(grid_of(task, tile), order, [&](EmulatedThread& t) { grouped_fp8<Tile>(t, operands); });
}

TEST(GroupedFp8, one_group_is_a_scaled_product_with_ragged_edges) {
    for (const ThreadOrder order : kThreadOrders) {
        Problem problem(130, 200, 384, 1, 1);
        problem.task.blocks = 2;  // of 4 tiles: a block has more than one
        run(problem.task, order, GroupedFp8Tall{});
        for (const long row : {0, 63, 64, 127, 128, 129}) EXPECT_LT(problem.error_of_row(0, row, 0), kTolerance) << row;
    }
}

template <class Tile>
void check_contiguous(Tile tile, ThreadOrder order) {
    const std::vector<std::int32_t> group_of_block{2, -1, 0, 0};  // group 1 is empty
    Problem problem(512, 136, 256, 3, 1);
    problem.task.group_of_block = group_of_block.data();
    problem.task.blocks = 3;
    run(problem.task, order, tile);
    for (const long row : {0, 127}) EXPECT_LT(problem.error_of_row(0, row, 2), kTolerance) << row;
    for (const long row : {256, 384, 511}) EXPECT_LT(problem.error_of_row(0, row, 0), kTolerance) << row;
    for (std::size_t i = 128 * 136; i < 256 * 136; ++i) ASSERT_EQ(problem.out[i].bits, 0xFFFF);
}

TEST(GroupedFp8, contiguous_groups_have_weights_of_their_own_and_blocks_of_none_are_left_alone) {
    check_contiguous(GroupedFp8Tall{}, ThreadOrder::shuffled);
    check_contiguous(GroupedFp8Wide{}, ThreadOrder::reversed);
    check_contiguous(GroupedFp8Narrow{}, ThreadOrder::forward);
}

template <class Tile>
void check_masked(Tile tile, ThreadOrder order) {
    const std::vector<std::int32_t> counts{5, 0, 70, 33};  // none, one tile, more than one, all places
    Problem problem(70, 264, 256, 4, 4);
    problem.task.counts = counts.data();
    problem.task.blocks = 3;
    run(problem.task, order, tile);
    for (int group = 0; group < 4; ++group)
        for (const long row : {0, 4, 32, 63, 64, 69}) {
            if (row >= counts[std::size_t(group)]) continue;
            EXPECT_LT(problem.error_of_row(group, row, group), kTolerance) << group << " " << row;
        }
    for (std::size_t i = 70 * 264; i < 2 * 70 * 264; ++i) ASSERT_EQ(problem.out[i].bits, 0xFFFF) << "an empty group";
}

TEST(GroupedFp8, masked_groups_compute_the_rows_that_are_counted) {
    check_masked(GroupedFp8Wide{}, ThreadOrder::forward);
    check_masked(GroupedFp8Narrow{}, ThreadOrder::reversed);
    check_masked(GroupedFp8Tall{}, ThreadOrder::shuffled);
}

// 40 blocks along K: the second batch of scales, and stages that turn many times.
TEST(GroupedFp8, a_long_k_takes_its_scales_in_batches) {
    for (const ThreadOrder order : {ThreadOrder::forward, ThreadOrder::shuffled}) {
        Problem problem(20, 72, 40 * 128, 1, 1);
        run(problem.task, order, GroupedFp8Narrow{});
        EXPECT_LT(problem.error_of_row(0, 0, 0), kTolerance);
        EXPECT_LT(problem.error_of_row(0, 19, 0), kTolerance);
    }
}

// All-positive numbers over K = 16384, added as Hopper adds FP8: promotion each 128 keeps the error small. A sum of the
// tensor cores alone is wrong by 1e-2 (wgmma_test.cpp).
TEST(GroupedFp8, sums_a_long_k_as_if_in_fp32) {
    const LimitedFp8Accumulation as_hopper;
    Problem problem(3, 8, 16384, 1, 1);
    for (E4m3& x : problem.a) x.bits &= 0x7F;
    for (E4m3& x : problem.b) x.bits &= 0x7F;
    run(problem.task, ThreadOrder::forward, GroupedFp8Narrow{});
    for (long row = 0; row < 3; ++row) EXPECT_LT(problem.error_of_row(0, row, 0), 1e-3) << row;
}

TEST(GroupedFp8, the_tile_follows_from_the_rows_and_the_columns) {
    const auto tile_of = [](GroupedFp8Task task) {
        return with_tile_of(task, [](auto tile) { return std::pair(tile.kRows, tile.kColumns); });
    };
    EXPECT_EQ(tile_of({.rows = 4096, .n = 4096}), std::pair(128, 128));
    EXPECT_EQ(tile_of({.rows = 128, .n = 7168}), std::pair(64, 128));  // 56 tiles of 128 x 128 leave half a card idle
    EXPECT_EQ(tile_of({.rows = 64, .n = 132 * 256}), std::pair(64, 256));
    EXPECT_EQ(tile_of({.rows = 64, .n = 7168}), std::pair(64, 128));
    const std::int32_t count = 0;
    EXPECT_EQ(tile_of({.counts = &count, .rows = 1024, .n = 4096, .groups = 32, .rows_expected = 20}),
              std::pair(64, 256));
}

std::string refusal_of(const GroupedFp8Task& task) {
    try {
        require_valid(task);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

TEST(GroupedFp8, refuses_what_it_would_compute_wrongly) {
    Problem problem(128, 128, 128, 2, 1);
    const std::int32_t group = 0;
    const auto with = [&](auto change) {
        GroupedFp8Task task = problem.task;
        task.group_of_block = &group;
        change(task);
        return refusal_of(task);
    };
    EXPECT_EQ(with([](GroupedFp8Task&) {}), "");
    EXPECT_NE(with([](GroupedFp8Task& t) { t.k = 192; }).find("k is 192"), std::string::npos);
    EXPECT_NE(with([](GroupedFp8Task& t) { t.n = 132; }).find("n is 132"), std::string::npos);
    EXPECT_NE(with([](GroupedFp8Task& t) { t.rows = 100; }).find("aligned to 128"), std::string::npos);
    EXPECT_NE(with([](GroupedFp8Task& t) { t.group_of_block = nullptr; }).find("found neither"), std::string::npos);
    EXPECT_NE(with([&](GroupedFp8Task& t) { t.counts = &group; }).find("found both"), std::string::npos);
    EXPECT_NE(with([](GroupedFp8Task& t) { t.b_scales = nullptr; }).find("missing"), std::string::npos);
    EXPECT_NE(with([](GroupedFp8Task& t) { t.rows = -1; }).find("-1 rows"), std::string::npos);
}

}  // namespace
}  // namespace strata
