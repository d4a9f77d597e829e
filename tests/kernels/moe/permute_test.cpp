#include "kernels/moe/permute_body.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/moe/align_body.hpp"
#include "kernels/moe/align_reference.hpp"
#include "kernels/moe/combine_body.hpp"
#include "kernels/moe/permute_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

using Row = std::vector<std::uint8_t>;

std::vector<std::int32_t> random_experts(std::size_t pairs, int experts) {
    std::mt19937_64 random(1);
    std::vector<std::int32_t> all(pairs);
    for (std::int32_t& one : all) one = std::int32_t(random() % std::uint64_t(experts + 1)) - 1;
    return all;
}

struct Moved {
    std::vector<std::uint8_t> rows;
    std::vector<float> scales;
};

Moved permuted(const reference::Alignment& order, PermuteTask task, const std::vector<std::uint8_t>& in,
               const std::vector<float>& scales, ThreadOrder threads) {
    task.slots = long(order.pair_of_slot.size());
    Moved out{std::vector<std::uint8_t>(std::size_t(task.slots * task.row_bytes), 0xEE),
              std::vector<float>(std::size_t((task.slots + 3) / 4 * 4 * task.scales), -7)};
    task.in = in.data(), task.out = out.rows.data();
    if (task.scales > 0) task.scales_in = scales.data(), task.scales_out = out.scales.data();
    task.slot_of_pair = order.slot_of_pair.data(), task.pair_of_slot = order.pair_of_slot.data();
    task.used = &order.offsets.back();
    require_valid(task);
    emulate(grid_of(task), threads, [&](EmulatedThread& t) { permute(t, task); });
    return out;
}

TEST(Permute, rows_and_scales_go_to_their_slots_and_padding_is_zero) {
    const long tokens = 5, row_bytes = 16656, across = 533;  // more than a thread's packs and scales at once
    for (const long k : {3L, 33L}) {                         // 33 are more than are taken in a turn
        const auto order =
            reference::align(random_experts(std::size_t(tokens * k), 4), 0, 4, 8, slots_for(tokens * k, 4, 8) + 8);
        std::vector<Row> rows(tokens, Row(row_bytes));
        std::vector<std::uint8_t> in;
        std::vector<float> scales;
        std::mt19937_64 random(2);
        for (Row& row : rows) {
            for (std::uint8_t& byte : row) byte = std::uint8_t(random());
            in.insert(in.end(), row.begin(), row.end());
            for (long tile = 0; tile < across; ++tile) scales.push_back(float(random() % 1000 + 1));
        }
        const auto should = reference::permuted(rows, order.pair_of_slot, k, Row(row_bytes, 0));
        for (const ScaleLayout layout : {ScaleLayout::row_major, ScaleLayout::column_major})
            for (const ThreadOrder threads : kThreadOrders) {
                const Moved is = permuted(
                    order, {.tokens = tokens, .row_bytes = row_bytes, .scales = across, .k = int(k), .layout = layout},
                    in, scales, threads);
                const long slots = long(order.pair_of_slot.size());
                for (long slot = 0; slot < slots; ++slot) {
                    const Row row(is.rows.begin() + slot * row_bytes, is.rows.begin() + (slot + 1) * row_bytes);
                    const bool used = slot < order.offsets.back();
                    EXPECT_EQ(row, used ? should[std::size_t(slot)] : Row(row_bytes, 0xEE)) << slot;
                    const std::int32_t pair = order.pair_of_slot[std::size_t(slot)];
                    for (long tile = 0; tile < across; ++tile)
                        ASSERT_EQ(is.scales[std::size_t(layout == ScaleLayout::row_major
                                                            ? slot * across + tile
                                                            : tile * ((slots + 3) / 4 * 4) + slot)],
                                  !used      ? -7
                                  : pair < 0 ? 0
                                             : scales[std::size_t(pair / k * across + tile)]);
                }
            }
    }
}

TEST(Permute, slots_out_of_range_are_not_written) {
    reference::Alignment order;
    order.offsets = {1}, order.pair_of_slot = {-1}, order.slot_of_pair = {5};
    const Moved is = permuted(order, {.tokens = 1, .row_bytes = 16, .k = 1}, std::vector<std::uint8_t>(16, 3), {},
                              ThreadOrder::forward);
    EXPECT_EQ(is.rows, std::vector<std::uint8_t>(16, 0));
}

TEST(Permute, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(PermuteTask{.row_bytes = 24, .k = 1}), std::invalid_argument);
    EXPECT_THROW(require_valid(PermuteTask{.tokens = 1, .row_bytes = 16, .k = 1}), std::invalid_argument);
    EXPECT_THROW(require_valid(PermuteTask{.row_bytes = 16, .scales = 1, .k = 1}), std::invalid_argument);
    EXPECT_NO_THROW(require_valid(PermuteTask{.row_bytes = 16, .k = 1}));
}

std::vector<Bf16> normal(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> values;
    std::vector<Bf16> all(count);
    for (Bf16& one : all) one = to_bf16(values(random));
    return all;
}

std::vector<std::uint16_t> combined(CombineTask task, ThreadOrder order) {
    std::vector<Bf16> out(std::size_t(task.tokens * task.hidden), Bf16{0xEEEE});
    task.out = out.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { combine(t, task); });
    std::vector<std::uint16_t> bits;
    for (const Bf16 x : out) bits.push_back(x.bits);
    return bits;
}

TEST(Combine, matches_the_reference_and_is_the_same_bits_in_every_thread_order) {
    const long tokens = 5, hidden = 1544, slots = 64;
    for (const int k : {6, 11}) {
        const std::vector<Bf16> rows = normal(std::size_t(slots * hidden), 3),
                                addend = normal(std::size_t(tokens * hidden), 4);
        std::mt19937_64 random(5);
        std::vector<std::int32_t> slot_of_pair;
        std::vector<float> weights;
        for (long pair = 0; pair < tokens * k; ++pair) {
            slot_of_pair.push_back(pair % 4 == 1 ? -1 : std::int32_t(random() % slots));
            weights.push_back(float(random() % 1000) / 1000);
        }
        const CombineTask task{.rows = rows.data(),
                               .slot_of_pair = slot_of_pair.data(),
                               .weights = weights.data(),
                               .addend = addend.data(),
                               .tokens = tokens,
                               .slots = slots,
                               .hidden = hidden,
                               .k = k};
        const auto is = combined(task, ThreadOrder::forward);
        EXPECT_EQ(is, combined(task, ThreadOrder::reversed));
        EXPECT_EQ(is, combined(task, ThreadOrder::shuffled));
        for (long at = 0; at < tokens * hidden; ++at) {
            std::vector<double> values, factors;
            for (long pair = at / hidden * k; pair < (at / hidden + 1) * k; ++pair) {
                const std::int32_t slot = slot_of_pair[std::size_t(pair)];
                values.push_back(slot < 0 ? 0 : to_float(rows[std::size_t(slot * hidden + at % hidden)]));
                factors.push_back(weights[std::size_t(pair)]);
            }
            const double should = reference::combined(values, factors, to_float(addend[std::size_t(at)]));
            ASSERT_NEAR(to_float(Bf16{is[std::size_t(at)]}), should,
                        1e-5 + std::abs(should) / 256);  // half a bf16 step
        }
    }
}

// Of many tokens a block adds up all columns of one, in turns.
TEST(Combine, many_tokens) {
    const long tokens = 2048, hidden = 1032;
    const std::vector<Bf16> rows = normal(std::size_t(hidden), 6);
    std::vector<std::int32_t> slots(std::size_t(tokens), -1);
    slots.front() = slots.back() = 0;
    const auto is = combined(
        {.rows = rows.data(), .slot_of_pair = slots.data(), .tokens = tokens, .slots = 1, .hidden = hidden, .k = 1},
        ThreadOrder::forward);
    for (long at = 0; at < tokens * hidden; ++at)
        ASSERT_EQ(is[std::size_t(at)], slots[std::size_t(at / hidden)] < 0 ? 0 : rows[std::size_t(at % hidden)].bits)
            << at;
}

// 2^24 + 1 + 1 - 2^24 in FP32: what is added first decides. In the order of the pairs the ones are lost.
TEST(Combine, adds_in_the_order_of_the_pairs) {
    std::vector<Bf16> rows(4 * 8, to_bf16(1));
    for (std::size_t i = 0; i < 8; ++i) rows[i] = to_bf16(0x1p24f), rows[24 + i] = to_bf16(-0x1p24f);
    const std::int32_t ascending[] = {0, 1, 2, 3}, ones_first[] = {1, 2, 0, 3};
    CombineTask task{.rows = rows.data(), .slot_of_pair = ascending, .tokens = 1, .slots = 4, .hidden = 8, .k = 4};
    EXPECT_EQ(to_float(Bf16{combined(task, ThreadOrder::forward)[7]}), 0);
    task.slot_of_pair = ones_first;
    EXPECT_EQ(to_float(Bf16{combined(task, ThreadOrder::forward)[7]}), 2);
}

TEST(Combine, a_token_without_experts_becomes_zero_and_bad_slots_add_nothing) {
    const std::vector<Bf16> rows(8, to_bf16(3));
    const std::int32_t slots[] = {-1, -1, 1, -2147483647, 0, -1};
    const auto is = combined({.rows = rows.data(), .slot_of_pair = slots, .tokens = 3, .slots = 1, .hidden = 8, .k = 2},
                             ThreadOrder::forward);
    EXPECT_EQ(to_float(Bf16{is[0]}), 0);
    EXPECT_EQ(to_float(Bf16{is[8]}), 0);
    EXPECT_EQ(to_float(Bf16{is[16]}), 3);
}

TEST(Combine, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(CombineTask{.hidden = 12, .k = 1}), std::invalid_argument);
    EXPECT_THROW(require_valid(CombineTask{.tokens = 1, .hidden = 8, .k = 1}), std::invalid_argument);
    EXPECT_NO_THROW(require_valid(CombineTask{.hidden = 8, .k = 1}));
}

}  // namespace
}  // namespace strata
