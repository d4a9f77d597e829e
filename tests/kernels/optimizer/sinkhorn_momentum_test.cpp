#include "kernels/optimizer/sinkhorn_momentum_body.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "kernels/optimizer/sinkhorn_momentum.hpp"
#include "kernels/optimizer/sinkhorn_momentum_reference.hpp"
#include "kernels/quant/quantise_reference.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

template <class T>
class Aligned {
public:
    explicit Aligned(std::size_t count) : packs_((count + Pack<T>::kSize - 1) / Pack<T>::kSize + 1) {}
    T* data() { return packs_.data()->at; }
    T& operator[](std::size_t i) { return data()[i]; }

private:
    std::vector<Pack<T>> packs_;
};

constexpr std::size_t kWidth = kSinkhornWidth;
constexpr int kBlocks = 4;

struct Update {
    Update(std::vector<std::int32_t> of_ids, long of_table)
        : ids(std::move(of_ids)),
          table_rows(std::size_t(of_table)),
          gradient(ids.size() * kWidth),
          momentum(table_rows * kWidth),
          weight(table_rows * kWidth),
          columns(kWidth),
          table(table_rows * kEngramRowStride),
          norms(ids.size()),
          sums(kBlocks * kWidth, NAN),
          means(kBlocks * 2, NAN) {
        std::mt19937_64 random(17);
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < ids.size() * kWidth; ++i) gradient[i] = to_bf16(normal(random) * float(1 + i % 7));
        for (std::size_t i = 0; i < table_rows * kWidth; ++i) momentum[i] = normal(random), weight[i] = normal(random);
        task = {.gradient = gradient.data(),
                .ids = ids.data(),
                .momentum = momentum.data(),
                .weight = weight.data(),
                .table = table.data(),
                .norms = norms.data(),
                .sums = sums.data(),
                .means = means.data(),
                .columns = columns.data(),
                .error = &error,
                .rows = long(ids.size()),
                .table_rows = of_table,
                .rate = 0.125f,
                .iterations = 5,
                .blocks = kBlocks};
    }

    void run(ThreadOrder order = ThreadOrder::forward) {
        require_valid(task);
        Grid grid = sinkhorn_rows_grid(task);
        grid.threads = 256;  // half of the GPU's, for the tests' time
        const int passes = (task.iterations - 1) / 2;
        const auto rows = [&](int walk, auto body) {
            const SinkhornMomentumTask of_walk = sinkhorn_walk(task, walk);
            emulate(grid, order, [&](EmulatedThread& t) { body(t, of_walk); });
        };
        rows(0, [](EmulatedThread& t, const auto& of_walk) { sinkhorn_accumulate(t, of_walk); });
        for (int pass = 1; pass <= passes; ++pass) {
            rows(pass, [](EmulatedThread& t, const auto& of_walk) { sinkhorn_pass(t, of_walk); });
            emulate(sinkhorn_columns_grid(), order, [&](EmulatedThread& t) { sinkhorn_columns(t, task); });
        }
        rows(passes + 1, [](EmulatedThread& t, const auto& of_walk) { sinkhorn_apply(t, of_walk); });
    }

    std::vector<double> row(float* of, std::size_t index) const {
        return {of + index * kWidth, of + (index + 1) * kWidth};
    }

    std::vector<std::int32_t> ids;
    std::size_t table_rows;
    Aligned<Bf16> gradient;
    Aligned<float> momentum, weight, columns;
    Aligned<std::uint8_t> table;
    std::vector<float> norms, sums, means;
    int error = 0;
    SinkhornMomentumTask task;
};

// A matrix of rank one, M_ij = a_i b_j: the first row normalisation makes all rows b / |b| up to the sign of a_i, the
// first column normalisation makes every element +-1 / sqrt(rows), the next +-1 / 16. So every weight moves by
// rate * gamma = 0.125 * 0.18 against the sign of a_i b_j.
TEST(SinkhornMomentum, of_rank_one_moves_every_weight_alike) {
    Update is({0, 1, 2}, 3);
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < kWidth; ++j) {
            is.momentum[i * kWidth + j] = 0, is.weight[i * kWidth + j] = 0;
            is.gradient[i * kWidth + j] = to_bf16((i == 1 ? -2.0f : 1.0f + float(i)) * (j % 3 == 0 ? -1.0f : 4.0f));
        }
    is.run();
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < kWidth; ++j)
            EXPECT_NEAR(is.weight[i * kWidth + j], ((i == 1) == (j % 3 == 0) ? -1 : 1) * 0.0225, 1e-6);
    EXPECT_EQ(is.error, 0);
}

TEST(SinkhornMomentum, matches_the_reference_in_every_thread_order) {
    std::vector<std::int32_t> ids;
    for (std::int32_t i = 0; i < 70; ++i) ids.push_back(i * 37 % 101);
    for (const ThreadOrder order : kThreadOrders) {
        Update is(ids, 101);
        for (std::size_t j = 0; j < kWidth; ++j) {
            is.gradient[5 * kWidth + j] = to_bf16(1e-4f), is.momentum[std::size_t(ids[5]) * kWidth + j] = 0;  // masked
            is.gradient[6 * kWidth + j] = to_bf16(0), is.momentum[std::size_t(ids[6]) * kWidth + j] = 0;
        }
        is.task.decay = 0.5f, is.task.iterations = 11;
        reference::Matrix momentum, weight, gradient;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            momentum.push_back(is.row(is.momentum.data(), std::size_t(ids[i])));
            weight.push_back(is.row(is.weight.data(), std::size_t(ids[i])));
            gradient.emplace_back();
            for (std::size_t j = 0; j < kWidth; ++j) gradient.back().push_back(to_float(is.gradient[i * kWidth + j]));
        }
        Update before = is;
        is.run(order);
        reference::sinkhorn_momentum(momentum, weight, gradient, {.rate = 0.125, .decay = 0.5});
        std::vector<bool> touched(101);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const auto id = std::size_t(ids[i]);
            touched[id] = true;
            double squares = 0;  // of the move, without decay
            for (std::size_t j = 0; j < kWidth; ++j) {
                ASSERT_NEAR(is.momentum[id * kWidth + j], momentum[i][j], 1e-5);
                ASSERT_NEAR(is.weight[id * kWidth + j], weight[i][j], 2e-6) << i << ' ' << j;
                squares += std::pow(is.weight[id * kWidth + j] - before.weight[id * kWidth + j] * (1 - 0.0625), 2);
            }
            const bool masked = i == 5 || i == 6;
            if (!masked) {
                EXPECT_NEAR(std::sqrt(squares / kWidth), 0.0225, 1e-6);
            }
        }
        for (std::size_t id = 0; id < 101; ++id)
            for (std::size_t j = 0; j < kWidth && !touched[id]; ++j) {
                ASSERT_EQ(is.momentum[id * kWidth + j], before.momentum[id * kWidth + j]);
                ASSERT_EQ(is.weight[id * kWidth + j], before.weight[id * kWidth + j]);
            }
        EXPECT_EQ(is.error, 0);
    }
}

TEST(SinkhornMomentum, columns_by_factors_are_those_of_the_definition) {
    Update is({0, 1, 2, 3, 4}, 5);
    is.task.mu = 1;
    reference::Matrix momentum, weight(5, std::vector<double>(kWidth)), none = weight;
    std::vector<float> flat(is.momentum.data(), is.momentum.data() + 5 * kWidth);
    for (std::size_t i = 0; i < 5; ++i) momentum.push_back(is.row(is.momentum.data(), i));
    const std::vector<double> columns = reference::sinkhorn_columns(flat, kWidth, 0, 11);
    reference::sinkhorn_momentum(momentum, weight, none, {.momentum = 1, .rate = 1, .gamma = 1});
    for (std::size_t i = 0; i < 5; ++i) {
        std::vector<double> row = momentum[i];
        for (std::size_t j = 0; j < kWidth; ++j) row[j] *= columns[j];
        const double norm = reference::norm_of(row);
        for (std::size_t j = 0; j < kWidth; ++j) ASSERT_NEAR(weight[i][j], -16 * row[j] / norm, 1e-12);
    }
}

// The row that a gather reads is the new weight, quantised.
TEST(SinkhornMomentum, stores_the_updated_rows_of_the_table) {
    Update is({3, 1}, 5);
    is.run();
    for (const std::size_t id : {std::size_t(3), std::size_t(1)})
        for (std::size_t tile = 0; tile < 8; ++tile) {
            double amax = 0;
            for (std::size_t j = tile * 32; j < tile * 32 + 32; ++j)
                amax = std::max(amax, double(std::abs(is.weight[id * kWidth + j])));
            const double scale = reference::scale_of(amax, true);
            const std::uint8_t* row = is.table.data() + id * kEngramRowStride;
            EXPECT_EQ(double(to_float(Ue8m0{row[256 + tile]})), scale);
            for (std::size_t j = tile * 32; j < tile * 32 + 32; ++j)
                EXPECT_EQ(double(to_float(E4m3{row[j]})),
                          reference::nearest_e4m3(double(is.weight[id * kWidth + j]) / scale));
        }
    for (std::size_t at = 0; at < kEngramRowStride; ++at) EXPECT_EQ(is.table[2 * kEngramRowStride + at], 0);
}

TEST(SinkhornMomentum, rows_that_are_not_finite_or_not_there_are_left_out_and_reported) {
    Update is({0, 1, 99, -1, 2}, 3), without({0, 2}, 3);
    for (std::size_t j = 0; j < kWidth; ++j)
        without.gradient[j] = is.gradient[j], without.gradient[kWidth + j] = is.gradient[4 * kWidth + j];
    for (std::size_t j = 0; j < 3 * kWidth; ++j) without.momentum[j] = is.momentum[j], without.weight[j] = is.weight[j];
    is.gradient[kWidth + 9] = {0x7FC0};
    is.run();
    without.run();
    EXPECT_EQ(is.error, 1);
    EXPECT_EQ(without.error, 0);
    for (std::size_t j = 0; j < 3 * kWidth; ++j) {
        EXPECT_NEAR(is.weight[j], without.weight[j], 1e-6);
        EXPECT_EQ(is.momentum[j], without.momentum[j]);
    }
}

TEST(SinkhornMomentum, nothing_but_zeros_moves_nothing) {
    Update is({0, 1}, 2);
    for (std::size_t j = 0; j < 2 * kWidth; ++j) is.gradient[j] = to_bf16(0), is.momentum[j] = 0, is.weight[j] = 3;
    is.run();
    for (std::size_t j = 0; j < 2 * kWidth; ++j) EXPECT_EQ(is.weight[j], 3);
    // A column of zeros stays one and harms no other.
    Update column({0, 1}, 2);
    for (std::size_t i = 0; i < 2; ++i) column.gradient[i * kWidth] = to_bf16(0), column.momentum[i * kWidth] = 0;
    const float before = column.weight[0];
    column.run();
    EXPECT_EQ(column.weight[0], before);
    EXPECT_TRUE(std::isfinite(column.weight[1]));
}

TEST(SinkhornMomentum, work_is_42_bytes_an_element) {
    EXPECT_DOUBLE_EQ((SinkhornMomentum{.rows = 1}.work().bytes().si()), 256 * 42);
}

TEST(SinkhornMomentum, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(SinkhornMomentumTask{}));
    EXPECT_THROW(require_valid(SinkhornMomentumTask{.iterations = 10}), std::invalid_argument);
    EXPECT_THROW(require_valid(SinkhornMomentumTask{.blocks = 6}), std::invalid_argument);
    EXPECT_THROW(require_valid(SinkhornMomentumTask{.rows = 1}), std::invalid_argument);
    EXPECT_THROW(require_valid(SinkhornMomentumTask{.rows = 1, .table_rows = 1}), std::invalid_argument);
}

}  // namespace
}  // namespace strata
