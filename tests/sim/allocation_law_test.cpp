#include "sim/quality/allocation_law.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

const std::string kAnchors = std::string(STRATA_SOURCE_DIR) + "/sim/quality/allocation_anchors.yaml";
const AllocationLaw& allocation_law() {
    static const AllocationLaw shipped(kAnchors);
    return shipped;
}
LossEstimate loss_at(double rho) { return allocation_law().loss(rho, allocation_law().measured_on()).value(); }

TEST(AllocationLaw, passes_through_the_published_anchors) {
    EXPECT_DOUBLE_EQ(loss_at(0.40).loss, 1.7248);
    EXPECT_DOUBLE_EQ(loss_at(0.80).loss, 1.7109);
    EXPECT_DOUBLE_EQ(loss_at(1.00).loss, 1.7248);
    EXPECT_EQ(loss_at(0.80).origin, Origin::published);
    EXPECT_NEAR(loss_at(0.80).high - loss_at(0.80).low, 1e-4, 1e-12);  // four digits printed
}

TEST(AllocationLaw, has_no_step_at_an_anchor) {
    for (const double rho : {0.40 + 1e-7, 0.80 - 1e-7, 0.80 + 1e-7, 1.00 - 1e-7})
        EXPECT_NEAR(loss_at(rho).loss, loss_at(std::round(rho * 10) / 10).loss, 1e-7) << rho;
}

TEST(AllocationLaw, is_convex_with_its_minimum_in_the_published_range) {
    double best = 1, lowest = 10;
    for (double rho = 0.41; rho < 0.985; rho += 0.01) {
        EXPECT_LE(loss_at(rho).loss, (loss_at(rho - 0.01).loss + loss_at(rho + 0.01).loss) / 2 + 1e-12) << rho;
        if (loss_at(rho).loss < lowest) lowest = loss_at(rho).loss, best = rho;
    }
    EXPECT_GE(best, 0.75);
    EXPECT_LE(best, 0.80 + 1e-9);
}

// At 0.60, halfway between anchors, a parabola with its vertex at 0.80 has a quarter of its rise left.
TEST(AllocationLaw, is_a_parabola_on_either_side) {
    EXPECT_NEAR(loss_at(0.60).loss, 1.7109 + 0.0139 / 4, 1e-12);
    EXPECT_NEAR(loss_at(0.90).loss, 1.7109 + 0.0139 / 4, 1e-12);
    EXPECT_EQ(loss_at(0.60).origin, Origin::interpolated);
}

// Convexity allows the chord at most: at 0.60 (1.7248 + 1.7109) / 2 and the mean of the roundings. The lowest point
// lies at 0.75 or above, on or above the line through the right-hand anchors: 1.7109 - 0.05 * 0.0695.
TEST(AllocationLaw, band_is_what_the_published_facts_leave_open) {
    EXPECT_NEAR(loss_at(0.60).high, 1.71785 + 0.000275, 1e-9);
    EXPECT_NEAR(loss_at(0.60).low, 1.7109 - 0.05 * 0.0695 - 0.000275, 1e-9);
    EXPECT_NEAR(loss_at(0.90).low, 1.7109 - 0.00005, 1e-9);  // beyond the optimum the loss rises
    for (double rho = 0.40; rho < 1; rho += 0.01) {
        EXPECT_LE(loss_at(rho).low, loss_at(rho).loss) << rho;
        EXPECT_GE(loss_at(rho).high, loss_at(rho).loss) << rho;
    }
}

TEST(AllocationLaw, says_nothing_outside_of_the_anchors) {
    EXPECT_FALSE(allocation_law().loss(0.39, allocation_law().measured_on()));
    EXPECT_FALSE(allocation_law().loss(1.01, allocation_law().measured_on()));
}

TEST(AllocationLaw, is_transferred_to_other_models) {
    EXPECT_EQ(allocation_law().loss(0.8, "v4.1-flash")->origin, Origin::transferred);
}

AllocationLaw of_anchors(const std::string& anchors) {
    const ScratchFolder folder;
    return AllocationLaw(folder.write(
        "anchors.yaml", "measured_on: m\nsource: s\noptimum: {from: 0.6, to: 0.8}\nanchors: [" + anchors + "]\n"));
}

// More anchors need pieces with a knot between them; the shape must hold there too.
TEST(AllocationLaw, stays_convex_and_exact_through_more_anchors) {
    const AllocationLaw denser = of_anchors(
        "{rho: 0.2, loss: 3, plus_minus: 0}, {rho: 0.4, loss: 2, plus_minus: 0}, {rho: 0.5, loss: 1.9, plus_minus: 0},"
        "{rho: 0.7, loss: 1.8, plus_minus: 0}, {rho: 1, loss: 2.5, plus_minus: 0}");
    const auto value = [&](double rho) { return denser.loss(rho, "m")->loss; };
    for (double rho = 0.21; rho < 0.99; rho += 0.005)
        EXPECT_LE(value(rho), (value(rho - 0.005) + value(rho + 0.005)) / 2 + 1e-9) << rho;
    EXPECT_NEAR(value(0.5 - 1e-9), 1.9, 1e-7);
    EXPECT_NEAR(value(0.5 + 1e-9), 1.9, 1e-7);
}

TEST(AllocationLaw, refuses_anchors_that_are_not_convex) {
    EXPECT_THROW(of_anchors("{rho: 0.4, loss: 1.8, plus_minus: 0}, {rho: 0.6, loss: 1.7, plus_minus: 0},"
                            "{rho: 0.7, loss: 1.75, plus_minus: 0}, {rho: 1, loss: 1.76, plus_minus: 0}"),
                 InputError);
}

}  // namespace
}  // namespace strata
