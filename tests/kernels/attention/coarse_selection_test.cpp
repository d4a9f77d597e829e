#include "kernels/attention/coarse_selection_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/attention/top_k_body.hpp"
#include "kernels/attention/top_k_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

using Candidates = std::vector<std::vector<std::int32_t>>;

template <class T>
Candidates emulated(const std::vector<std::vector<T>>& rows, const std::vector<std::int32_t>& ends, int most_blocks,
                    ThreadOrder order = ThreadOrder::shuffled) {
    CoarseTask<T> task;
    task.rows = long(rows.size()), task.columns = long(rows[0].size()), task.most_blocks = most_blocks;
    task.stride = ceil_div(task.columns, 8) * 8 + 8;
    task.maxima_stride = ceil_div(task.columns, 32) * 4;
    std::vector<T> logits(std::size_t(task.rows * task.stride), from_float<T>(9e9f));  // poison behind each row
    for (std::size_t row = 0; row < rows.size(); ++row)
        std::ranges::copy(rows[row], logits.begin() + long(row) * task.stride);
    std::vector<float> maxima(std::size_t(task.rows * task.maxima_stride), 8e9f);
    std::vector<std::int32_t> counts(rows.size(), -7), candidates(rows.size() * std::size_t(most_blocks), -7);
    task.logits = logits.data(), task.end = ends.empty() ? nullptr : ends.data(), task.maxima = maxima.data();
    task.counts = counts.data(), task.candidates = candidates.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { block_maxima(t, task); });
    const TopKTask<float> selection = planned(selection_of(task));
    emulate(grid_of(selection), order, [&](EmulatedThread& t) { top_k<TopKHold::little>(t, selection); });
    Candidates out;
    for (std::size_t row = 0; row < rows.size(); ++row)
        out.emplace_back(candidates.begin() + long(row) * most_blocks,
                         candidates.begin() + long(row + 1) * most_blocks);
    return out;
}

// What a later layer does: top-k of the slots of its candidates, whose logits it has computed.
std::vector<std::int32_t> best_of_candidates(const std::vector<float>& of_slots,
                                             const std::vector<std::int32_t>& blocks, std::int32_t end, int k) {
    std::vector<std::int32_t> positions(std::size_t(k), -7);
    TopKTask<float> task;
    task.logits = of_slots.data(), task.end = &end, task.indices = positions.data();
    task.rows = 1, task.columns = task.stride = long(of_slots.size()), task.k = k, task.blocks = blocks.data();
    require_valid(task);
    const TopKTask<float> with_plan = planned(task);
    emulate(grid_of(with_plan), ThreadOrder::reversed,
            [&](EmulatedThread& t) { top_k<TopKHold::little>(t, with_plan); });
    return positions;
}

std::vector<float> normal(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> values;
    std::vector<float> all(count);
    for (float& one : all) one = values(random);
    return all;
}

std::vector<double> doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

// The logits that a later layer would compute for the slots of its candidates; of slots beyond the end, poison.
std::vector<float> of_slots(const std::vector<float>& row, const std::vector<std::int32_t>& blocks, std::int32_t end) {
    std::vector<float> values;
    for (const std::int32_t block : blocks)
        for (std::int32_t at = block * 8; at < block * 8 + 8; ++at)
            values.push_back(block >= 0 && at < end ? row[std::size_t(at)] : 7e9f);
    return values;
}

// Blocks 0..7, 8..15, 16..18. The largest are 5, 9 and, of the newest, -3: it is pinned all the same.
TEST(CoarseSelectionReference, hand_made) {
    std::vector<double> row(24, -5);
    row[2] = 5, row[15] = 9, row[17] = -3, row[20] = 99;  // position 20 is in the future
    EXPECT_EQ(reference::candidate_blocks(row, 19, 8, 2), (std::vector<std::int32_t>{1, 2}));
    EXPECT_EQ(reference::candidate_blocks(row, 19, 8, 4), (std::vector<std::int32_t>{0, 1, 2, -1}));
    EXPECT_EQ(reference::candidate_blocks(row, 16, 8, 1), (std::vector<std::int32_t>{1}));  // nothing is partial
}

TEST(CoarseSelection, matches_the_reference_in_every_thread_order) {
    std::vector<std::vector<float>> rows;
    const std::vector<std::int32_t> ends{5000, 4999, 4097, 4096, 800, 9, 8, 1, 0, -4, 2147483647};
    for (std::size_t i = 0; i < ends.size(); ++i) rows.push_back(normal(5000, i));
    for (const ThreadOrder order : kThreadOrders) {
        const Candidates is = emulated(rows, ends, 100, order);
        for (std::size_t i = 0; i < rows.size(); ++i)
            EXPECT_EQ(is[i], reference::candidate_blocks(doubles(rows[i]), std::clamp(ends[i], 0, 5000), 8, 100)) << i;
    }
}

TEST(CoarseSelection, bf16_and_no_ends) {
    std::vector<Bf16> row;
    for (const float x : normal(4003, 5)) row.push_back(to_bf16(x));
    std::vector<double> values;
    for (const Bf16 x : row) values.push_back(to_float(x));
    EXPECT_EQ(emulated<Bf16>({row}, {}, 64)[0], reference::candidate_blocks(values, 4003, 8, 64));
}

TEST(CoarseSelection, nothing_outranks_the_newest_block_and_nan_is_ignored) {
    std::vector<float> row(805, std::numeric_limits<float>::infinity());
    row[800] = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 801; i < 805; ++i) row[i] = -1;
    const Candidates is = emulated<float>({row}, {}, 2);
    EXPECT_EQ(is[0], (std::vector<std::int32_t>{0, 100}));
    for (std::size_t i = 0; i < 8; ++i) row[i] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(emulated<float>({row}, {}, 2)[0], (std::vector<std::int32_t>{1, 100}));
}

// Each position of the exact top-k lies in a block whose maximum is no smaller than it, so fewer than k blocks outrank
// that block: at the layer that chose the candidates nothing is lost. (One candidate may be spent on the pinned block.)
TEST(CoarseSelection, candidates_hold_the_exact_top_k) {
    for (const std::int32_t end : {6000, 5997, 1031}) {
        const std::vector<float> row = normal(6000, std::uint64_t(end));
        const int k = 64;
        const std::vector<std::int32_t> blocks = emulated<float>({row}, {end}, k + 1)[0];
        const std::vector<std::int32_t> exact = reference::top_k(doubles(row), 0, end, k);
        EXPECT_EQ(best_of_candidates(of_slots(row, blocks, end), blocks, end, k), exact);
    }
}

TEST(CoarseSelection, positions_of_candidates_match_the_reference) {
    const std::vector<float> row = normal(3000, 6), other_layer = normal(3000, 7);
    for (const std::int32_t end : {3000, 2993, 300, 5, 0}) {
        const std::vector<std::int32_t> blocks = emulated<float>({row}, {end}, 128)[0];
        const std::vector<float> values = of_slots(other_layer, blocks, end);
        EXPECT_EQ(best_of_candidates(values, blocks, end, 100),
                  reference::top_k_of_candidates(doubles(values), blocks, end, 8, 100))
            << end;
    }
}

TEST(CoarseSelection, blocks_out_of_range_give_no_positions) {
    const std::vector<std::int32_t> blocks{0, 2000000000, -5, 3};
    const auto is = best_of_candidates(std::vector<float>(32, 1), blocks, 32, 32);
    for (std::size_t slot = 0; slot < 32; ++slot)
        EXPECT_EQ(is[slot], slot < 8 ? std::int32_t(slot) : slot < 24 ? -1 : std::int32_t(slot));
}

TEST(CoarseSelection, refuses_what_it_does_not_take) {
    CoarseTask<float> task;
    EXPECT_NO_THROW(require_valid(task));
    task.columns = 100, task.stride = 100, task.maxima_stride = 12;
    EXPECT_THROW(require_valid(task), std::invalid_argument);  // 13 maxima do not fit
    task.maxima_stride = 16, task.rows = 1;
    EXPECT_THROW(require_valid(task), std::invalid_argument);  // no buffers
}

}  // namespace
}  // namespace strata
