#include "sim/quality/allocation_points.hpp"

#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

AllocationFit fit(const std::vector<std::pair<double, double>>& points) {
    std::vector<AllocationPoint> all;
    for (const auto& [rho, loss] : points) all.push_back({"b", rho, loss});
    return AllocationFit(all);
}

TEST(AllocationPoints, a_convex_curve_is_its_own_fit) {
    const AllocationFit u = fit({{1, 2}, {0.4, 3}, {0.7, 1.5}});  // in any order
    EXPECT_NEAR(u.root_mean_square(), 0, 1e-12);
    EXPECT_DOUBLE_EQ(u.lowest_rho(), 0.7);
    EXPECT_TRUE(u.has_minimum_inside());
    EXPECT_NEAR(u.depth(), 0.5, 1e-12);              // below the lower end, 2
    EXPECT_NEAR(u.loss(0.55).value(), 2.25, 1e-12);  // halfway from 3 to 1.5
}

// Three points at equal distance with a bump of 1 in the middle: the nearest convex curve is a straight line, and least
// squares move the middle by -2/3 and each end by 1/3 (along 1, -2, 1).
TEST(AllocationPoints, a_bump_is_flattened_by_least_squares) {
    const AllocationFit flat = fit({{0, 0}, {0.5, 1}, {1, 0}});
    EXPECT_NEAR(flat.points()[0].fitted, 1.0 / 3, 1e-9);
    EXPECT_NEAR(flat.points()[1].fitted, 1.0 / 3, 1e-9);
    EXPECT_NEAR(flat.points()[1].residual(), 2.0 / 3, 1e-9);
    EXPECT_FALSE(flat.has_minimum_inside());
}

// Two measurements of 3 and 5 at one rho are one level of 4.
TEST(AllocationPoints, seeds_at_one_rho_are_averaged) {
    const AllocationFit seeds = fit({{0.4, 3}, {0.4, 5}, {0.7, 2}, {1, 3}});
    EXPECT_EQ(seeds.points().size(), 4u);
    EXPECT_NEAR(seeds.points()[0].fitted, 4, 1e-12);
    EXPECT_NEAR(seeds.points()[1].residual(), 1, 1e-12);
    EXPECT_NEAR(seeds.loss(0.4).value(), 4, 1e-12);
}

TEST(AllocationPoints, falling_to_an_end_is_no_minimum) {
    const AllocationFit falling = fit({{0.4, 1}, {0.7, 2}, {1, 4}});
    EXPECT_FALSE(falling.has_minimum_inside());
    EXPECT_DOUBLE_EQ(falling.lowest_rho(), 0.4);
}

TEST(AllocationPoints, says_nothing_beyond_what_was_measured) {
    const AllocationFit u = fit({{0.4, 3}, {0.7, 1.5}, {1, 2}});
    EXPECT_FALSE(u.loss(0.39));
    EXPECT_TRUE(u.loss(0.4));
}

TEST(AllocationPoints, reads_budgets_and_keeps_to_one_kind_of_network) {
    const ScratchFolder folder;
    const std::string file = folder.write("points.csv",
                                          "budget,rho,residual,loss\na,1,plain,2\na,0.8,plain,1\na,0.8,mhc,0.5\n"
                                          "b,1,plain,4\na,0.6,plain,3\nb,0.8,plain,3\nb,0.6,plain,5\n");
    const std::vector<AllocationFit> fits = allocation_fits(read_allocation_points(file));
    ASSERT_EQ(fits.size(), 2u);
    EXPECT_EQ(fits[0].points().size(), 3u);
    EXPECT_NEAR(fits[0].loss(0.8).value(), 1, 1e-12);
    EXPECT_NEAR(fits[1].loss(0.8).value(), 3, 1e-12);
}

TEST(AllocationPoints, errors_name_the_line) {
    const ScratchFolder folder;
    const auto message = [&](const std::string& text) -> std::string {
        try {
            (void)allocation_fits(read_allocation_points(folder.write("points.csv", text)));
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_NE(message("rho,loss\n0.4,2\n0.5,abc\n").find(":3: expected a loss, found 'abc'"), std::string::npos);
    EXPECT_NE(message("rho,loss\n1.4,2\n").find(":2: expected a rho of 0 to 1"), std::string::npos);
    EXPECT_NE(message("rho,los\n").find("columns 'rho' and 'loss'"), std::string::npos);
    EXPECT_NE(message("rho,loss\n0.4,2\n1,2\n").find("at least three different rho"), std::string::npos);
}

}  // namespace
}  // namespace strata
