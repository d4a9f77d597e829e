#include "kernels/optimizer/muon_body.hpp"

#include <gtest/gtest.h>

#include "kernels/optimizer/muon.hpp"
#include "kernels/optimizer/newton_schulz.hpp"
#include "kernels/simt/emulator.hpp"
#include "tests/kernels/optimizer/matrices.hpp"

namespace strata {
namespace {

std::vector<float> floats(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> values;
    std::vector<float> all(count);
    for (float& one : all) one = values(random);
    return all;
}

struct Case {
    Case(long matrices, long rows, long columns)
        : gradient(random_bf16(std::size_t(matrices * rows * columns), 1)),
          momentum(floats(gradient.size(), 2)),
          master(floats(gradient.size(), 3)),
          weight(gradient.size(), {0xFFFF}),
          direction(gradient.size(), {0xFFFF}),
          orthogonal(random_bf16(gradient.size(), 4)),
          partials(std::size_t(matrices * kMuonParts), NAN) {
        task = {.gradient = gradient.data(),
                .momentum = momentum.data(),
                .master = master.data(),
                .weight = weight.data(),
                .direction = direction.data(),
                .orthogonal = orthogonal.data(),
                .partials = partials.data(),
                .matrices = matrices,
                .rows = rows,
                .columns = columns,
                .rate = 0.02f};
    }
    std::vector<Bf16> gradient;
    std::vector<float> momentum, master;
    std::vector<Bf16> weight, direction, orthogonal;
    std::vector<float> partials;
    MuonTask task;
};

// Where element i of a matrix is in one that is stored with its shorter side first.
long oriented(const MuonTask& task, long i) {
    return task.rows > task.columns ? i % task.columns * task.rows + i / task.columns : i;
}

void expect_direction(long rows, long columns, bool nesterov, ThreadOrder order) {
    const long matrices = 2, each = rows * columns;
    const Case before(matrices, rows, columns);
    Case is(matrices, rows, columns);
    is.task.nesterov = nesterov;
    require_valid_before(is.task);
    emulate(muon_accumulate_grid(is.task), order, [&](EmulatedThread& t) { muon_accumulate(t, is.task); });
    emulate(muon_tiles_grid(is.task), order, [&](EmulatedThread& t) { muon_normalise(t, is.task); });
    for (long number = 0; number < matrices; ++number) {
        std::vector<double> directions;
        double squares = 0;
        for (long i = 0; i < each; ++i) {
            const std::size_t at = std::size_t(number * each + i);
            const auto should =
                reference::muon_momentum(before.momentum[at], to_float(before.gradient[at]), 0.95, nesterov);
            ASSERT_NEAR(is.momentum[at], should.momentum, 1e-6 + 1e-6 * std::abs(should.momentum));
            directions.push_back(should.direction);
            squares += should.direction * should.direction;
        }
        for (long i = 0; i < each; ++i) {
            const double should = directions[std::size_t(i)] / (std::sqrt(squares) + 1e-7);
            ASSERT_NEAR(to_float(is.direction[std::size_t(number * each + oriented(is.task, i))]), should,
                        1e-8 + std::abs(should) * 0x1.01p-8)
                << number << " " << i;
        }
    }
}

// Wide and tall; tiles that are not full.
TEST(Muon, direction_has_norm_one_and_its_shorter_side_first_in_every_thread_order) {
    for (const ThreadOrder order : kThreadOrders) {
        expect_direction(72, 136, true, order);
        expect_direction(136, 72, true, order);
    }
    expect_direction(64, 64, false, ThreadOrder::forward);
}

void expect_weights(long rows, long columns, MuonScale law, double scale, ThreadOrder order) {
    const Case before(2, rows, columns);
    Case is(2, rows, columns);
    is.task.scale = law;
    require_valid_after(is.task);
    const float step = is.task.rate * update_scale(law, rows, columns);
    emulate(muon_tiles_grid(is.task), order, [&](EmulatedThread& t) { muon_apply(t, is.task, step); });
    for (long number = 0; number < 2; ++number)
        for (long i = 0; i < rows * columns; ++i) {
            const std::size_t at = std::size_t(number * rows * columns + i);
            const double orthogonal =
                to_float(before.orthogonal[std::size_t(number * rows * columns + oriented(is.task, i))]);
            const double should = reference::muon_weight(before.master[at], orthogonal, 0.02, 0.1, scale);
            ASSERT_NEAR(is.master[at], should, 1e-6 + 1e-6 * std::abs(should)) << number << " " << i;
            ASSERT_EQ(is.weight[at].bits, to_bf16(is.master[at]).bits);
        }
}

// Scales by hand: sqrt(136 / 72); 0.2 sqrt 136; 0.18 sqrt 136.
TEST(Muon, weights_move_by_the_rate_and_the_law_of_scale_in_every_thread_order) {
    for (const ThreadOrder order : kThreadOrders) {
        expect_weights(136, 72, MuonScale::v4, 0.18 * std::sqrt(136.0), order);
        expect_weights(72, 136, MuonScale::v4, 0.18 * std::sqrt(136.0), order);
    }
    expect_weights(136, 72, MuonScale::aspect, std::sqrt(136.0 / 72), ThreadOrder::forward);
    expect_weights(72, 136, MuonScale::aspect, 1, ThreadOrder::forward);
    expect_weights(72, 136, MuonScale::moonlight, 0.2 * std::sqrt(136.0), ThreadOrder::forward);
}

// From gradient to weights, of a matrix with more rows than columns: the orthogonal matrix is off by BF16's 2 % of its
// norm (newton_schulz_test.cpp).
TEST(Muon, a_whole_step_of_a_tall_matrix_matches_the_reference) {
    const long rows = 40, columns = 24;
    const Case before(1, rows, columns);
    Case is(1, rows, columns);
    emulate(muon_accumulate_grid(is.task), ThreadOrder::shuffled,
            [&](EmulatedThread& t) { muon_accumulate(t, is.task); });
    emulate(muon_tiles_grid(is.task), ThreadOrder::shuffled, [&](EmulatedThread& t) { muon_normalise(t, is.task); });
    std::vector<Bf16> spare(is.gradient.size()), gram(std::size_t(columns * columns)), polynomial = gram;
    const NewtonSchulzTask steps{.in = is.direction.data(),
                                 .out = is.orthogonal.data(),
                                 .spare = spare.data(),
                                 .gram = gram.data(),
                                 .polynomial = polynomial.data(),
                                 .matrices = 1,
                                 .rows = columns,
                                 .columns = rows,
                                 .steps = five_steps()};
    require_valid(steps);
    for (const NewtonSchulzProduct& one : products_of(steps))
        emulate(grid_of(one.task, one.form), ThreadOrder::forward, [&](EmulatedThread& t) {
            if (one.form == ProductForm::symmetric)
                scaled_product<ProductForm::symmetric>(t, one.task);
            else
                scaled_product<ProductForm::rows_by_columns>(t, one.task);
        });
    const float step = is.task.rate * update_scale(is.task.scale, rows, columns);
    emulate(muon_tiles_grid(is.task), ThreadOrder::shuffled, [&](EmulatedThread& t) { muon_apply(t, is.task, step); });

    reference::Matrix direction(rows, columns);
    for (std::size_t i = 0; i < direction.at.size(); ++i)
        direction.at[i] =
            reference::muon_momentum(before.momentum[i], to_float(before.gradient[i]), 0.95, true).direction;
    const auto orthogonal =
        reference::newton_schulz(direction, std::vector<reference::Coefficients>(5, {3.4445, -4.7750, 2.0315}));
    const double scale = 0.18 * std::sqrt(40.0);
    double squares = 0, moved = 0;
    for (std::size_t i = 0; i < direction.at.size(); ++i) {
        const double should = reference::muon_weight(before.master[i], orthogonal.at[i], 0.02, 0.1, scale);
        squares += (is.master[i] - should) * (is.master[i] - should);
        moved += std::pow(0.02 * scale * orthogonal.at[i], 2);
    }
    EXPECT_LT(std::sqrt(squares), 0.02 * std::sqrt(moved));
}

TEST(Muon, nothing_but_zeros_has_no_direction) {
    Case is(1, 8, 16);
    std::ranges::fill(is.gradient, Bf16{0});
    std::ranges::fill(is.momentum, 0.0f);
    emulate(muon_accumulate_grid(is.task), ThreadOrder::forward,
            [&](EmulatedThread& t) { muon_accumulate(t, is.task); });
    emulate(muon_tiles_grid(is.task), ThreadOrder::forward, [&](EmulatedThread& t) { muon_normalise(t, is.task); });
    for (const Bf16 x : is.direction) EXPECT_EQ(to_float(x), 0);
}

TEST(Muon, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid_before({.matrices = 1, .rows = 12, .columns = 16}), std::invalid_argument);
    EXPECT_THROW(require_valid_before({.matrices = 1, .rows = 16, .columns = 16}), std::invalid_argument);
    EXPECT_THROW(require_valid_after({.matrices = 1, .rows = 16, .columns = 16}), std::invalid_argument);
    EXPECT_THROW(require_valid_after({.matrices = 65536, .rows = 16, .columns = 16}), std::invalid_argument);
    Case one(1, 8, 16);
    EXPECT_NO_THROW(require_valid_after(one.task));
    one.task.weight = nullptr;
    EXPECT_THROW(require_valid_after(one.task), std::invalid_argument);
    one.task.partials = nullptr;
    EXPECT_THROW(require_valid_before(one.task), std::invalid_argument);
    EXPECT_NO_THROW(require_valid_before({.matrices = 0, .rows = 16, .columns = 16}));
}

// Momentum and gradient twice, 4 + 2 bytes; momentum and X written.
TEST(Muon, work_counts_what_goes_through_memory) {
    EXPECT_EQ(MuonMomentum{.elements = 10}.work().read, Bytes(120));
    EXPECT_EQ(MuonMomentum{.elements = 10}.work().written, Bytes(60));
    EXPECT_EQ(MuonApply{.elements = 10}.work().bytes(), Bytes(120));
}

}  // namespace
}  // namespace strata
