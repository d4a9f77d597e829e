#include "kernels/attention/top_k_body.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "kernels/attention/top_k_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

template <class T>
using Rows = std::vector<std::vector<T>>;

struct Bounds {
    std::vector<std::int32_t> begin, end;
};

// The task's rows laid out as the kernel reads them; what lies behind a row is poison.
template <class T>
std::vector<std::vector<std::int32_t>> emulated(const Rows<T>& rows, int k, TopKTask<T> task = {},
                                                const Bounds& bounds = {}, ThreadOrder order = ThreadOrder::shuffled) {
    task.rows = long(rows.size()), task.columns = long(rows[0].size()), task.k = k;
    task.stride = (task.columns + Pack<T>::kSize - 1) / Pack<T>::kSize * Pack<T>::kSize + Pack<T>::kSize;
    std::vector<T> logits(std::size_t(task.rows * task.stride), from_float<T>(std::numeric_limits<float>::infinity()));
    for (std::size_t row = 0; row < rows.size(); ++row)
        std::ranges::copy(rows[row], logits.begin() + long(row) * task.stride);
    std::vector<std::int32_t> indices(std::size_t(task.rows * k), -7);
    task.logits = logits.data(), task.indices = indices.data();
    if (!bounds.begin.empty()) task.begin = bounds.begin.data();
    if (!bounds.end.empty()) task.end = bounds.end.data();
    require_valid(task);
    const TopKTask<T> with_plan = planned(task);
    emulate(grid_of(with_plan), order, [&](EmulatedThread& t) {
        switch (with_plan.hold) {
            case TopKHold::little: return top_k<TopKHold::little>(t, with_plan);
            case TopKHold::much: return top_k<TopKHold::much>(t, with_plan);
            default: return top_k<TopKHold::nothing>(t, with_plan);
        }
    });
    std::vector<std::vector<std::int32_t>> out;
    for (long row = 0; row < task.rows; ++row)
        out.emplace_back(indices.begin() + row * k, indices.begin() + (row + 1) * k);
    return out;
}

template <class T>
std::vector<double> doubles(const std::vector<T>& values) {
    std::vector<double> all;
    for (const T x : values) all.push_back(to_float(x));
    return all;
}

template <class T>
std::vector<T> row_of(std::size_t columns, const std::function<float(std::mt19937_64&)>& value, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<T> row(columns);
    for (T& one : row) one = from_float<T>(value(random));
    return row;
}

float normal(std::mt19937_64& random) { return std::normal_distribution<float>()(random); }

// Every distribution of the peers' tests, and numbers of any bits (some of them NaN).
const std::function<float(std::mt19937_64&)> kDistributions[] = {
    normal,
    [](std::mt19937_64& random) { return float(random() % 1000000) * 1e-6f; },       // uniform
    [](std::mt19937_64& random) { return float(random() % 5) - 2; },                 // few distinct
    [](std::mt19937_64&) { return 3.25f; },                                          // all equal
    [](std::mt19937_64& random) { return random() % 50 ? normal(random) : 80.0f; },  // hot spots
    [](std::mt19937_64& random) { return normal(random) + 100; },                    // shifted
    [](std::mt19937_64& random) { return normal(random) - 100; },
    [](std::mt19937_64& random) { return float(int(random() % 4001) - 2000) * 1e-45f; },  // denormal
    [](std::mt19937_64& random) { return random() % 2 ? 0.0f : -0.0f; },
    [](std::mt19937_64& random) { return bits_as<float>(std::uint32_t(random())); }};

TEST(TopKReference, hand_made) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> row{9, 1, nan, 3, 3, 2, 9};
    EXPECT_EQ(reference::top_k(row, 1, 6, 2), (std::vector<std::int32_t>{3, 4}));
    EXPECT_EQ(reference::top_k(row, 1, 6, 1), (std::vector<std::int32_t>{3}));  // of equals the lowest
    EXPECT_EQ(reference::top_k(row, 1, 6, 6), (std::vector<std::int32_t>{1, 2, 3, 4, 5, -1}));
    EXPECT_EQ(reference::top_k(row, 1, 6, 4), (std::vector<std::int32_t>{1, 3, 4, 5}));  // NaN is the last
}

TEST(TopKKeys, keep_the_order_of_numbers) {
    const float infinity = std::numeric_limits<float>::infinity();
    const float ascending[] = {-infinity, -3e38f, -1, -1e-45f, 0, 1e-45f, 1, 3e38f, infinity};
    for (std::size_t i = 0; i + 1 < std::size(ascending); ++i)
        EXPECT_LT(ordered(ascending[i]), ordered(ascending[i + 1]));
    for (const float x : ascending) EXPECT_EQ(of_order(ordered(x)), x);
    EXPECT_EQ(ordered(-0.0f), ordered(0.0f));
    for (const std::uint32_t nan : {0x7FC00000u, 0xFFC00000u, 0x7F800001u, 0xFFFFFFFFu})
        EXPECT_LT(ordered(bits_as<float>(nan)), ordered(-infinity));
}

template <class T>
void expect_every_distribution(std::size_t columns, int k, const TopKTask<T>& task, ThreadOrder order) {
    Rows<T> rows;
    for (std::size_t i = 0; i < std::size(kDistributions); ++i)
        rows.push_back(row_of<T>(columns, kDistributions[i], i));
    const auto is = emulated(rows, k, task, {}, order);
    for (std::size_t i = 0; i < rows.size(); ++i)
        EXPECT_EQ(is[i], reference::top_k(doubles(rows[i]), 0, long(columns), k)) << "distribution " << i;
}

TEST(TopK, is_the_same_in_every_thread_order) {
    const Rows<float> rows{row_of<float>(5003, kDistributions[0], 1), row_of<float>(5003, kDistributions[2], 2)};
    for (const ThreadOrder order : kThreadOrders) {
        const auto is = emulated(rows, 512, {.cluster = 2}, {}, order);
        for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(is[i], reference::top_k(doubles(rows[i]), 0, 5003, 512));
    }
}

TEST(TopK, one_block_a_row_every_distribution) {
    expect_every_distribution<float>(3001, 512, {}, ThreadOrder::forward);
}

TEST(TopK, bf16_every_distribution) { expect_every_distribution<Bf16>(9002, 512, {}, ThreadOrder::shuffled); }

TEST(TopK, a_cluster_a_row_every_distribution) {
    expect_every_distribution<float>(9002, 1024, {.cluster = 2}, ThreadOrder::reversed);
}

TEST(TopK, a_slice_that_does_not_fit_is_read_again) {
    expect_every_distribution<float>(5003, 300, {.hold = TopKHold::nothing}, ThreadOrder::shuffled);
}

// The shape of decoding at 128 K, divided as it is on the GPU.
TEST(TopK, sixteen_blocks_share_a_long_row) {
    const Rows<float> rows{row_of<float>(131072, normal, 3)};
    TopKTask<float> task;
    task.columns = 131072;
    EXPECT_EQ(planned(task).cluster, 16);
    EXPECT_EQ(emulated(rows, 2048)[0], reference::top_k(doubles(rows[0]), 0, 131072, 2048));
}

// And that of a prompt's rows: a block for each, which reads FP32 twice, but for a quarter, and holds all of BF16.
TEST(TopK, a_row_has_one_block_where_there_are_many) {
    TopKTask<float> task;
    task.rows = 1024, task.columns = 32768;
    EXPECT_EQ(planned(task).cluster, 1);
    EXPECT_EQ(planned(task).hold, TopKHold::nothing);
    expect_every_distribution<float>(32768, 2048, {.cluster = 1}, ThreadOrder::shuffled);
    expect_every_distribution<Bf16>(32768, 2048, {.cluster = 1}, ThreadOrder::reversed);
}

// Three windows of positions, and a k beyond what is laid down before it is written.
TEST(TopK, positions_of_long_rows_are_marked_by_windows) {
    const Rows<float> rows{row_of<float>(300001, normal, 5), row_of<float>(300001, kDistributions[2], 6)};
    for (const int k : {1000, 3000}) {
        const auto is = emulated(rows, k, {.cluster = 4, .hold = TopKHold::nothing}, {.begin = {777, 0}, .end = {}});
        EXPECT_EQ(is[0], reference::top_k(doubles(rows[0]), 777, 300001, k));
        EXPECT_EQ(is[1], reference::top_k(doubles(rows[1]), 0, 300001, k));
    }
}

TEST(TopK, bounds_are_honoured_and_outside_is_never_looked_at) {
    Rows<float> rows;
    Bounds bounds;
    const std::int32_t begins[] = {0, 1, 3, 700, 1000, 5, -9}, ends[] = {2000, 1999, 1998, 1301, 1000, 4, 2147483647};
    for (std::size_t i = 0; i < std::size(ends); ++i) {
        rows.push_back(row_of<float>(2000, normal, i));
        bounds.begin.push_back(begins[i]), bounds.end.push_back(ends[i]);
        for (long at = 0; at < 2000; ++at)
            if (at < begins[i] || at >= ends[i])
                rows[i][std::size_t(at)] =
                    at % 2 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    }
    for (const TopKTask<float>& task : {TopKTask<float>{.cluster = 2}, TopKTask<float>{.hold = TopKHold::nothing}}) {
        const auto is = emulated(rows, 100, task, bounds);
        for (std::size_t i = 0; i < rows.size(); ++i)
            EXPECT_EQ(is[i], reference::top_k(doubles(rows[i]), std::max(begins[i], 0), std::min(ends[i], 2000), 100))
                << "row " << i;
    }
}

TEST(TopK, short_rows_pass_through) {
    Rows<float> rows(4, row_of<float>(600, normal, 1));
    const auto is = emulated(rows, 512, {.cluster = 2}, {.begin = {0, 7, 3, 0}, .end = {512, 9, 3, 513}});
    for (std::size_t i = 0; i < 512; ++i) {
        EXPECT_EQ(is[0][i], std::int32_t(i));
        EXPECT_EQ(is[1][i], i < 2 ? 7 + std::int32_t(i) : -1);
        EXPECT_EQ(is[2][i], -1);
    }
    EXPECT_EQ(is[3], reference::top_k(doubles(rows[3]), 0, 513, 512));  // one too many: selected
}

TEST(TopK, any_k) {
    const Rows<float> rows{row_of<float>(5000, normal, 9)};
    for (const int k : {1, 2, 511, 4096, 4999, 5000, 5001})
        EXPECT_EQ(emulated(rows, k)[0], reference::top_k(doubles(rows[0]), 0, 5000, k)) << k;
    EXPECT_EQ(emulated(Rows<float>{{2.0f}}, 3)[0], (std::vector<std::int32_t>{0, -1, -1}));
}

// All large values in one block's slice, and in one thread's groups: the bound is then low, but never wrong.
TEST(TopK, large_values_that_stand_together) {
    std::vector<float> row = row_of<float>(9000, normal, 4);
    for (std::size_t i = 4600; i < 5200; ++i) row[i] += 50;
    EXPECT_EQ(emulated(Rows<float>{row}, 512, {.cluster = 4})[0], reference::top_k(doubles(row), 0, 9000, 512));
    std::ranges::sort(row);
    EXPECT_EQ(emulated(Rows<float>{row}, 512, {.cluster = 4})[0], reference::top_k(doubles(row), 0, 9000, 512));
}

TEST(TopK, plans_fit_the_gpu) {
    for (const long columns : {1L, 8192L, 8193L, 32768L, 131072L, 819200L, 1L << 20, 1L << 23}) {
        TopKTask<float> task;
        for (const long rows : {1L, 500L}) {
            task.rows = rows, task.columns = columns, task.k = 2048;
            const TopKTask<float> with_plan = planned(task);
            const Grid grid = grid_of(with_plan);
            EXPECT_LE(grid.shared_bytes, 227u * 1024);
            EXPECT_LE(grid.cluster, 16);
            EXPECT_EQ(grid.threads, 512);  // a cluster's bins are shared out to 512 threads
            if (grid.cluster > 1) {
                EXPECT_EQ(with_plan.hold != TopKHold::nothing, columns <= 262144) << columns;
            }
            if (with_plan.hold != TopKHold::nothing) {
                EXPECT_LE(slice_of(with_plan), held_by<float>(with_plan.hold));
            }
        }
    }
}

TEST(TopK, refuses_what_it_does_not_take) {
    TopKTask<float> task{.rows = 1, .columns = 100, .stride = 100, .k = 4};
    EXPECT_THROW(require_valid(task), std::invalid_argument);  // no buffers
    task.rows = 0;
    EXPECT_NO_THROW(require_valid(task));
    task.stride = 101;
    EXPECT_THROW(require_valid(task), std::invalid_argument);
    task.stride = 100, task.k = 0;
    EXPECT_THROW(require_valid(task), std::invalid_argument);
}

}  // namespace
}  // namespace strata
