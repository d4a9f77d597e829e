#include "sim/quality/residual_gain.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "hwmodels/input_error.hpp"
#include "sim/workload/random_stream.hpp"

namespace strata {
namespace {

SquareMatrix logits(double spread, std::uint64_t seed) {
    RandomStream random(seed);
    SquareMatrix drawn(4);
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) drawn.at(i, j) = spread * random.normal();
    return drawn;
}

TEST(ResidualGain, is_the_largest_absolute_row_and_column_sum) {
    SquareMatrix mapping(2);
    mapping.at(0, 0) = 1, mapping.at(0, 1) = -3;  // rows: 4 and 2; columns: 1 and 5
    mapping.at(1, 0) = 0, mapping.at(1, 1) = 2;
    EXPECT_DOUBLE_EQ(forward_gain(mapping), 4);
    EXPECT_DOUBLE_EQ(backward_gain(mapping), 5);
    const SquareMatrix twice = mapping * mapping;  // 1 -9 / 0 4
    EXPECT_DOUBLE_EQ(forward_gain(twice), 10);
    EXPECT_DOUBLE_EQ(backward_gain(twice), 13);
}

TEST(ResidualGain, of_hc_and_mhc_is_what_was_published) {
    // The published peaks are of figures: 3000 for HC, to which the spread is calibrated; 1.6 for mHC, which is not.
    const ResidualGain hc = residual_gain(dials_of(ResidualKind::hc)), mhc = residual_gain(dials_of(ResidualKind::mhc));
    EXPECT_NEAR(hc.gain, kPublishedHcGain, 0.2 * kPublishedHcGain);
    EXPECT_NEAR(mhc.gain, kPublishedMhcGain, 0.15 * kPublishedMhcGain);
    EXPECT_LE(mhc.low, kPublishedMhcGain);
    EXPECT_GE(mhc.high, kPublishedMhcGain);
    EXPECT_NEAR(mhc.single_layer, 1, 0.05);  // published: about 1
    EXPECT_FALSE(hc.outside || mhc.outside);
    EXPECT_EQ(hc.origin, Origin::modelled);
}

TEST(ResidualGain, of_mhc_does_not_hang_on_the_assumed_spread) {
    for (const double spread : {2.0, 3.0, 4.0, 5.0}) {
        ResidualDials dials = dials_of(ResidualKind::mhc);
        dials.spread = spread;
        EXPECT_NEAR(residual_gain(dials).gain, 1.5, 0.2) << spread;
    }
}

TEST(ResidualGain, of_a_plain_residual_is_one_at_any_depth) {
    ResidualDials dials = dials_of(ResidualKind::plain);
    dials.depth = 1000;
    EXPECT_DOUBLE_EQ(residual_gain(dials).gain, 1);
}

TEST(ResidualGain, of_mhc_tends_to_one_with_iterations) {
    ResidualDials dials = dials_of(ResidualKind::mhc);
    double before = 1e300;
    for (const int iterations : {0, 1, 5, 20, 1000}) {
        dials.iterations = iterations;
        const double gain = residual_gain(dials).gain;
        EXPECT_LE(gain, before) << iterations;
        before = gain;
    }
    EXPECT_NEAR(before, 1, 0.01);
}

TEST(ResidualGain, of_rows_is_exactly_one_since_rows_are_normalised_last) {
    const ResidualGain mhc = residual_gain(dials_of(ResidualKind::mhc));
    EXPECT_NEAR(mhc.forward, 1, 1e-9);
    EXPECT_DOUBLE_EQ(mhc.gain, mhc.backward);
}

TEST(ResidualGain, of_hc_grows_with_depth_and_with_spread) {
    ResidualDials dials = dials_of(ResidualKind::hc);
    const double full = residual_gain(dials).gain;
    dials.depth = 30;
    EXPECT_LT(residual_gain(dials).gain, full);
    dials = dials_of(ResidualKind::hc);
    dials.spread *= 1.5;
    EXPECT_GT(residual_gain(dials).gain, full);
}

TEST(ResidualGain, is_the_same_for_the_same_seed_and_another_for_another) {
    ResidualDials dials = dials_of(ResidualKind::hc);
    const double once = residual_gain(dials).gain;
    EXPECT_EQ(residual_gain(dials).gain, once);
    dials.seed = 2;
    EXPECT_NE(residual_gain(dials).gain, once);
}

TEST(Sinkhorn, comes_nearer_to_doubly_stochastic_with_each_iteration) {
    for (const double spread : {0.5, 2.0, 4.0})
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            double before = 1e300;
            for (int iterations = 1; iterations <= 20; ++iterations) {
                const double error = stochastic_error(sinkhorn(logits(spread, seed), iterations));
                EXPECT_LE(error, before + 1e-12) << spread << " " << seed << " " << iterations;
                before = error;
            }
        }
}

TEST(Sinkhorn, products_of_doubly_stochastic_matrices_stay_doubly_stochastic) {
    SquareMatrix composite = SquareMatrix::identity(4);
    for (std::uint64_t layer = 0; layer < 100; ++layer) {
        composite = sinkhorn(logits(1, layer), 200) * composite;
        EXPECT_LT(stochastic_error(composite), 1e-9) << layer;
        EXPECT_NEAR(forward_gain(composite), 1, 1e-9);
    }
}

TEST(ResidualGain, says_when_it_is_asked_beyond_what_was_published) {
    ResidualDials dials = dials_of(ResidualKind::mhc);
    dials.depth = 122;
    EXPECT_TRUE(residual_gain(dials).outside);
    dials.depth = 60;
    dials.streams = 8;
    EXPECT_TRUE(residual_gain(dials).outside);
}

TEST(ResidualGain, refuses_dials_out_of_range) {
    ResidualDials dials = dials_of(ResidualKind::mhc);
    dials.depth = 0;
    EXPECT_THROW(residual_gain(dials), InputError);
    dials = dials_of(ResidualKind::mhc);
    dials.iterations = -1;
    EXPECT_THROW(residual_gain(dials), InputError);
    dials = dials_of(ResidualKind::hc);
    dials.spread = std::nan("");
    EXPECT_THROW(residual_gain(dials), InputError);
}

}  // namespace
}  // namespace strata
