#include "kernels/optimizer/newton_schulz.hpp"

#include <gtest/gtest.h>

#include <set>

#include "kernels/optimizer/large_product_body.hpp"
#include "kernels/optimizer/muon.hpp"
#include "kernels/simt/emulator.hpp"
#include "tests/kernels/optimizer/matrices.hpp"

namespace strata {
namespace {

using reference::Matrix;

template <ProductForm form>
void run_as(const ScaledProductTask& task, ThreadOrder order, bool large) {
    if (!large) return emulate(grid_of(task, form), order, [&](EmulatedThread& t) { scaled_product<form>(t, task); });
    const LargeProductOperands operands = operands_of(task, form);
    emulate(large_grid_of(task, form, 4), order, [&](EmulatedThread& t) { large_product<form>(t, operands); });
}

void run(const ScaledProductTask& task, ProductForm form, ThreadOrder order, bool large = false) {
    require_valid(task, form);
    switch (form) {
        case ProductForm::symmetric: return run_as<ProductForm::symmetric>(task, order, large);
        case ProductForm::rows_by_rows: return run_as<ProductForm::rows_by_rows>(task, order, large);
        case ProductForm::rows_by_columns: return run_as<ProductForm::rows_by_columns>(task, order, large);
    }
}

constexpr Bf16 kPoison{0x7FC1};

struct Size {
    long matrices, rows, columns, depth;
};

std::vector<Bf16> product_of(const Size& size, const std::vector<Bf16>& left, const std::vector<Bf16>& right,
                             const std::vector<Bf16>& added, ProductForm form, ThreadOrder order, bool large = false) {
    std::vector<Bf16> out(std::size_t(size.matrices * size.rows * size.columns), kPoison);
    run({.left = left.data(),
         .right = form == ProductForm::symmetric ? left.data() : right.data(),
         .added = added.empty() ? nullptr : added.data(),
         .out = out.data(),
         .matrices = size.matrices,
         .rows = size.rows,
         .columns = size.columns,
         .depth = size.depth,
         .alpha = 0.75f,
         .beta = -2},
        form, order, large);
    return out;
}

// Rounded once to BF16: half of a step of 2^-7 at most, and what FP32 sums take.
void expect_product(const Size& size, const std::vector<Bf16>& is, const std::vector<Bf16>& left,
                    const std::vector<Bf16>& right, const std::vector<Bf16>& added, bool by_columns) {
    for (long number = 0; number < size.matrices; ++number) {
        const Matrix a = matrix_of(left, size.rows, size.depth, number);
        const Matrix b = by_columns ? matrix_of(right, size.depth, size.columns, number)
                                    : transposed(matrix_of(right, size.columns, size.depth, number));
        const Matrix sum = product(a, b);
        for (long i = 0; i < size.rows * size.columns; ++i) {
            const std::size_t at = std::size_t(number * size.rows * size.columns + i);
            const double should = 0.75 * sum.at[std::size_t(i)] - (added.empty() ? 0 : 2 * to_float(added[at]));
            ASSERT_NEAR(to_float(is[at]), should, std::abs(should) * 0x1.02p-8 + 1e-4) << number << " " << i;
        }
    }
}

// Sizes that leave the last tile and the last slice with a part; more slices than stages.
TEST(ScaledProduct, matches_the_reference_in_every_thread_order) {
    const Size size{2, 136, 144, 200};
    const auto left = random_bf16(2 * 136 * 200, 1), right = random_bf16(2 * 144 * 200, 2),
               added = random_bf16(2 * 136 * 144, 3);
    for (const ThreadOrder order : kThreadOrders) {
        expect_product(size, product_of(size, left, right, added, ProductForm::rows_by_rows, order), left, right, added,
                       false);
        expect_product(size, product_of(size, left, right, added, ProductForm::rows_by_columns, order), left, right,
                       added, true);
    }
    expect_product(size, product_of(size, left, right, {}, ProductForm::rows_by_columns, ThreadOrder::shuffled), left,
                   right, {}, true);
}

std::vector<Bf16> made_symmetric(std::vector<Bf16> batch, long matrices, long rows) {
    for (long number = 0; number < matrices; ++number)
        for (long i = 0; i < rows; ++i)
            for (long j = 0; j < i; ++j)
                batch[std::size_t((number * rows + i) * rows + j)] = batch[std::size_t((number * rows + j) * rows + i)];
    return batch;
}

// Squares of 256 with parts of them either way, more slices than stages, two matrices, and more squares than pairs of
// blocks: a pair goes on to its next one while the last is on its way out.
TEST(LargeProduct, matches_the_reference) {
    const Size size{2, 272, 520, 328};
    const auto left = random_bf16(2 * 272 * 328, 1), right = random_bf16(2 * 520 * 328, 2),
               added = random_bf16(2 * 272 * 520, 3);
    expect_product(size,
                   product_of(size, left, right, added, ProductForm::rows_by_columns, ThreadOrder::shuffled, true),
                   left, right, added, true);
    expect_product(size, product_of(size, left, right, {}, ProductForm::rows_by_rows, ThreadOrder::reversed, true),
                   left, right, {}, false);
}

TEST(LargeProduct, symmetric_is_equal_to_its_mirror_image) {
    const Size square{1, 456, 456, 72};
    const auto itself = random_bf16(456 * 72, 4), symmetric = made_symmetric(random_bf16(456 * 456, 5), 1, 456);
    const auto is = product_of(square, itself, itself, symmetric, ProductForm::symmetric, ThreadOrder::forward, true);
    expect_product(square, is, itself, itself, symmetric, false);
    for (std::size_t i = 0; i < 456; ++i)
        for (std::size_t j = 0; j < i; ++j) ASSERT_EQ(is[i * 456 + j].bits, is[j * 456 + i].bits) << i << " " << j;
}

TEST(LargeProduct, squares_are_each_there_once) {
    std::set<std::pair<int, int>> places;
    for (long index = 0; index < squares_of(2000, 5000, false); ++index) {
        const SquarePlace place = square_at(index, 2000, 5000, false);
        places.insert({place.row, place.column});
        ASSERT_TRUE(place.matrix == 0 && place.row < 2000 && place.column < 5000);
    }
    EXPECT_EQ(places.size(), 8u * 20u);
}

int steps_between(Bf16 x, Bf16 y) {  // numbers of BF16 from one to the other
    const auto ordered = [](Bf16 z) { return z.bits & 0x8000 ? -(z.bits & 0x7FFF) : int(z.bits); };
    return std::abs(ordered(x) - ordered(y));
}

// 264 rows: three tiles across, so that there are mirrored ones beside those of the diagonal.
TEST(ScaledProduct, symmetric_is_the_whole_product_and_equal_to_its_mirror_image) {
    const Size size{2, 264, 264, 72};
    const auto left = random_bf16(2 * 264 * 72, 4), added = made_symmetric(random_bf16(2 * 264 * 264, 5), 2, 264);
    for (const ThreadOrder order : kThreadOrders) {
        const auto is = product_of(size, left, left, added, ProductForm::symmetric, order);
        expect_product(size, is, left, left, added, false);
        const auto whole = product_of(size, left, left, added, ProductForm::rows_by_rows, order);
        for (std::size_t i = 0; i < is.size(); ++i) ASSERT_LE(steps_between(is[i], whole[i]), 2) << i;
        for (long number = 0; number < 2; ++number)
            for (long i = 0; i < 264; ++i)
                for (long j = 0; j < i; ++j)
                    ASSERT_EQ(is[std::size_t((number * 264 + i) * 264 + j)].bits,
                              is[std::size_t((number * 264 + j) * 264 + i)].bits);
    }
}

TEST(ScaledProduct, upper_tiles_are_each_there_once) {
    int tile = 0;
    for (int column = 0; column < 300; ++column)
        for (int row = 0; row <= column; ++row, ++tile) {
            ASSERT_EQ(upper_tile(tile).row, row) << tile;
            ASSERT_EQ(upper_tile(tile).column, column) << tile;
        }
}

TEST(ScaledProduct, refuses_what_it_does_not_take) {
    alignas(16) Bf16 buffer[64], other[64];
    ScaledProductTask good{.left = buffer, .right = buffer, .out = other};
    good.matrices = 1, good.rows = good.columns = good.depth = 8;
    EXPECT_NO_THROW(require_valid(good, ProductForm::symmetric));
    const auto refuses = [&](auto change, ProductForm form = ProductForm::symmetric) {
        ScaledProductTask task = good;
        change(task);
        EXPECT_THROW(require_valid(task, form), std::invalid_argument);
    };
    refuses([](ScaledProductTask& task) { task.depth = 12; });
    refuses([](ScaledProductTask& task) { task.columns = 16; });
    refuses([](ScaledProductTask& task) { task.matrices = 65536; });
    refuses([&](ScaledProductTask& task) { task.right = other; });
    refuses([&](ScaledProductTask& task) { task.out = buffer; }, ProductForm::rows_by_rows);
    refuses([](ScaledProductTask& task) { task.out = nullptr; });
    refuses([](ScaledProductTask& task) { ++task.left, ++task.right; });
}

// A matrix of one row is its direction times a number, and the steps are those of p(x) = a x + b x^3 + c x^5.
TEST(NewtonSchulzReference, hand_made) {
    double x = 1;
    for (int step = 0; step < 2; ++step) x = 3.4445 * x - 4.775 * x * x * x + 2.0315 * x * x * x * x * x;
    const Matrix out = reference::newton_schulz({1, 2, {3, 4}}, {2, {3.4445, -4.775, 2.0315}});
    EXPECT_NEAR(out(0, 0), 0.6 * x, 1e-6);
    EXPECT_NEAR(out(0, 1), 0.8 * x, 1e-6);
    const Matrix tall = reference::newton_schulz({2, 1, {3, 4}}, {2, {3.4445, -4.775, 2.0315}});
    EXPECT_EQ(tall.rows, 2);
    EXPECT_NEAR(tall(1, 0), 0.8 * x, 1e-6);
}

std::vector<reference::Coefficients> in_double(const std::vector<NewtonSchulzStep>& steps) {
    std::vector<reference::Coefficients> all;
    for (const NewtonSchulzStep& step : steps) all.push_back({step.a, step.b, step.c});
    return all;
}

// Scaled to norm 1 as muon_normalise does.
std::vector<Bf16> normalised(const std::vector<Bf16>& in, long matrices) {
    std::vector<Bf16> out;
    const std::size_t each = in.size() / std::size_t(matrices);
    for (std::size_t first = 0; first < in.size(); first += each) {
        double squares = 0;
        for (std::size_t i = first; i < first + each; ++i) squares += double(to_float(in[i])) * to_float(in[i]);
        for (std::size_t i = first; i < first + each; ++i)
            out.push_back(to_bf16(float(to_float(in[i]) / (std::sqrt(squares) + 1e-7))));
    }
    return out;
}

std::vector<Bf16> emulated(const std::vector<Bf16>& in, long matrices, long rows, long columns,
                           const std::vector<NewtonSchulzStep>& steps, bool symmetric = true, long heads = 1,
                           ThreadOrder order = ThreadOrder::forward) {
    std::vector<Bf16> out(in.size(), kPoison), spare(in.size(), kPoison);
    std::vector<Bf16> gram(std::size_t(matrices * rows * rows), kPoison), polynomial = gram;
    NewtonSchulzTask task{.in = in.data(),
                          .out = out.data(),
                          .spare = spare.data(),
                          .gram = gram.data(),
                          .polynomial = polynomial.data(),
                          .matrices = matrices,
                          .rows = rows,
                          .columns = columns,
                          .steps = steps,
                          .symmetric = symmetric};
    if (heads > 1) task = head_wise(task, heads);
    require_valid(task);
    for (const NewtonSchulzProduct& one : products_of(task)) run(one.task, one.form, order);
    return out;
}

double difference(const Matrix& is, const Matrix& should) {  // relative, of Frobenius norms
    double squares = 0, of = 0;
    for (std::size_t i = 0; i < is.at.size(); ++i) {
        squares += (is.at[i] - should.at[i]) * (is.at[i] - should.at[i]);
        of += should.at[i] * should.at[i];
    }
    return std::sqrt(squares / of);
}

void expect_singular_values(const Matrix& x, double least, double most) {
    const auto values = singular_values(x);
    EXPECT_GE(values.front(), least);
    EXPECT_LE(values.back(), most);
}

// p(x) = 3.4445 x - 4.775 x^3 + 2.0315 x^5 is at most p(0.5545) = 1.2023; from there on it is at least p(1.0501) =
// 0.6819 and at most p(0.6819) = 1.1343: the [0.68, 1.13] of facts B12, after five steps of values that were not too
// small. Each of the fifteen products is rounded to BF16, which moves the ends by half a percent at most.
TEST(NewtonSchulz, five_steps_bring_singular_values_near_one) {
    const auto in = normalised(random_bf16(2 * 72 * 200, 6), 2);
    for (const ThreadOrder order : {ThreadOrder::forward, ThreadOrder::shuffled}) {
        const auto out = emulated(in, 2, 72, 200, five_steps(), true, 1, order);
        for (long number = 0; number < 2; ++number) {
            const Matrix x = matrix_of(out, 72, 200, number);
            const Matrix exact = reference::newton_schulz(matrix_of(in, 72, 200, number), in_double(five_steps()));
            expect_singular_values(exact, 0.6818, 1.1344);
            expect_singular_values(x, 0.6818 * 0.995, 1.1344 * 1.005);
            EXPECT_LT(difference(x, exact), 0.02);
        }
    }
}

TEST(NewtonSchulz, eight_and_two_steps_settle_at_one) {
    const auto in = normalised(random_bf16(48 * 96, 7), 1);
    const Matrix x = matrix_of(emulated(in, 1, 48, 96, hybrid_steps()), 48, 96);
    expect_singular_values(x, 0.97, 1.03);
    const Matrix gram = product(x, transposed(x));
    for (long i = 0; i < 48; ++i)
        for (long j = 0; j < 48; ++j) EXPECT_NEAR(gram(i, j), i == j ? 1 : 0, 0.05) << i << " " << j;
}

TEST(NewtonSchulz, symmetric_halves_give_what_whole_products_give) {
    const auto in = normalised(random_bf16(136 * 200, 8), 1);
    const std::vector<NewtonSchulzStep> steps{kQuickStep, kSettlingStep};
    const auto halves = emulated(in, 1, 136, 200, steps), whole = emulated(in, 1, 136, 200, steps, false);
    for (std::size_t i = 0; i < halves.size(); ++i) ASSERT_LE(steps_between(halves[i], whole[i]), 2) << i;
}

// Twelve rows that are there twice, one of zeros, and 7 others of their own: rank 19. The halves of a pair stay alike,
// and what has no direction gets none.
TEST(NewtonSchulz, a_rank_deficient_matrix_keeps_its_rank) {
    auto in = random_bf16(32 * 64, 9);
    for (long i = 0; i < 12 * 64; ++i) in[std::size_t(12 * 64 + i)] = in[std::size_t(i)];
    for (long i = 31 * 64; i < 32 * 64; ++i) in[std::size_t(i)] = {0};
    const auto out = emulated(normalised(in, 1), 1, 32, 64, five_steps());
    for (long i = 0; i < 12 * 64; ++i) ASSERT_EQ(out[std::size_t(12 * 64 + i)].bits, out[std::size_t(i)].bits);
    for (long i = 31 * 64; i < 32 * 64; ++i) ASSERT_EQ(to_float(out[std::size_t(i)]), 0);
    const auto values = singular_values(matrix_of(out, 32, 64));
    EXPECT_LT(values[12], 1e-6);
    EXPECT_GE(values[13], 0.6818 * 0.995);
    EXPECT_LE(values.back(), 1.1344 * 1.005);
}

TEST(NewtonSchulz, nothing_but_zeros_stays_zero) {
    for (const Bf16 x : emulated(std::vector<Bf16>(8 * 16, {0}), 1, 8, 16, five_steps())) EXPECT_EQ(to_float(x), 0);
}

// A batch of experts, and the heads of one matrix, are to the bit what each is alone.
TEST(NewtonSchulz, matrices_of_a_batch_and_heads_of_a_matrix_do_not_see_each_other) {
    const auto in = normalised(random_bf16(3 * 24 * 40, 10), 3);
    const std::vector<NewtonSchulzStep> steps(2, kQuickStep);
    const auto batch = emulated(in, 3, 24, 40, steps), heads = emulated(in, 1, 72, 40, steps, true, 3);
    for (long number = 0; number < 3; ++number) {
        const std::vector<Bf16> one(in.begin() + number * 24 * 40, in.begin() + (number + 1) * 24 * 40);
        const auto alone = emulated(one, 1, 24, 40, steps);
        for (std::size_t i = 0; i < alone.size(); ++i) {
            ASSERT_EQ(batch[std::size_t(number * 24 * 40) + i].bits, alone[i].bits);
            ASSERT_EQ(heads[std::size_t(number * 24 * 40) + i].bits, alone[i].bits);
        }
    }
}

TEST(NewtonSchulz, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(NewtonSchulzTask{.matrices = 1, .rows = 16, .columns = 8, .steps = five_steps()}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(NewtonSchulzTask{.matrices = 1, .rows = 4, .columns = 8, .steps = five_steps()}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(NewtonSchulzTask{.matrices = 1, .rows = 8, .columns = 8, .steps = five_steps()}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(NewtonSchulzTask{}), std::invalid_argument);
    EXPECT_THROW(head_wise({.matrices = 1, .rows = 48, .columns = 48}, 4), std::invalid_argument);
    EXPECT_EQ(head_wise({.matrices = 2, .rows = 48, .columns = 48}, 3).matrices, 6);
}

// Of a step: 4 m^2 n + 2 m^3 for whole products, 3 m^2 n + m^3 for halves (facts A12).
TEST(NewtonSchulz, work_counts_what_is_computed) {
    const NewtonSchulz op{.rows = 10, .columns = 100, .steps = 1};
    EXPECT_EQ(op.work().flops, Flops(3 * 100 * 100 + 1000));
    NewtonSchulz whole = op;
    whole.symmetric = false;
    EXPECT_EQ(whole.work().flops, Flops(4 * 100 * 100 + 2000));
}

}  // namespace
}  // namespace strata
