// What a search is made of, each alone: samples, the front, the optimum along ranges, the plan of points.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "sim/search/continuous_optimum.hpp"
#include "sim/search/pareto.hpp"
#include "sim/search/point_plan.hpp"

namespace strata {
namespace {

using Values = std::vector<std::vector<double>>;

std::vector<std::size_t> by_brute_force(const Values& values) {
    std::vector<std::size_t> front;
    const auto known = [](const std::vector<double>& v) {
        return std::none_of(v.begin(), v.end(), [](double x) { return std::isnan(x); });
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
        bool beaten = !known(values[i]);
        for (std::size_t j = 0; j < values.size(); ++j) beaten = beaten || dominates(values[j], values[i]);
        if (!beaten) front.push_back(i);
    }
    return front;
}

TEST(ParetoFront, is_that_of_brute_force_with_ties_and_unknown_values) {
    std::mt19937 random(1);
    for (const std::size_t objectives : {1, 2, 3, 5})
        for (int round = 0; round < 60; ++round) {
            Values values(1 + random() % 200, std::vector<double>(objectives));
            const unsigned coarse = round % 2 ? 6 : 100000;  // few values: many ties and equal points
            for (auto& point : values)
                for (double& value : point) value = random() % 37 == 0 ? NAN : double(random() % coarse);
            EXPECT_EQ(pareto_front(values), by_brute_force(values)) << objectives << " objectives, round " << round;
        }
}

TEST(ParetoFront, keeps_equal_points_and_takes_infinite_ones) {
    EXPECT_EQ(pareto_front({{1, 2}, {1, 2}, {2, 2}, {0, 3}}), (std::vector<std::size_t>{0, 1, 3}));
    const double inf = std::numeric_limits<double>::infinity();
    EXPECT_EQ(pareto_front({{-inf, inf}, {0, 0}, {inf, inf}}), (std::vector<std::size_t>{0, 1}));
    EXPECT_EQ(pareto_front({}), std::vector<std::size_t>{});
    EXPECT_EQ(pareto_front({{NAN, 1}}), std::vector<std::size_t>{});
}

// Of 2^k points each of 2^k equal slices of a coordinate holds one; so does each of the 2^a x 2^b boxes of the first
// two coordinates, whose sequence is a (0, 2)-sequence.
TEST(Sampling, sobol_points_are_even_in_every_coordinate_shifted_or_not) {
    for (const std::uint64_t seed : {0, 1, 7}) {
        const auto points = sobol_points(256, 16, seed);
        for (std::size_t d = 0; d < 16; ++d) {
            std::set<int> slices;
            for (const UnitPoint& point : points) slices.insert(int(point[d] * 256));
            EXPECT_EQ(slices.size(), 256u) << "coordinate " << d << ", seed " << seed;
        }
        std::set<std::pair<int, int>> boxes;
        for (const UnitPoint& point : points) boxes.emplace(int(point[0] * 16), int(point[1] * 16));
        EXPECT_EQ(boxes.size(), 256u);
    }
}

// new-joe-kuo-6.21201: the third dimension has degree 2, a = 1, m = 1, 3: by hand 0, 1/2, 1/4, 3/4 and so on in Gray
// code order (Joe and Kuo's notes on generating Sobol sequences, table of the first points).
TEST(Sampling, sobol_points_are_those_of_joe_and_kuo) {
    const auto points = sobol_points(8, 3, 0);
    const Values expected{{0, 0, 0},          {.5, .5, .5},       {.75, .25, .25},    {.25, .75, .75},
                          {.375, .375, .625}, {.875, .875, .125}, {.625, .125, .875}, {.125, .625, .375}};
    EXPECT_EQ(points, expected);
}

TEST(Sampling, latin_points_hit_every_slice_once_and_depend_on_the_seed_alone) {
    const auto points = latin_points(100, 3, 5);
    for (std::size_t d = 0; d < 3; ++d) {
        std::set<int> slices;
        for (const UnitPoint& point : points) slices.insert(int(point[d] * 100));
        EXPECT_EQ(slices.size(), 100u);
    }
    EXPECT_EQ(points, latin_points(100, 3, 5));
    EXPECT_NE(points, latin_points(100, 3, 6));
}

TEST(AxisRange, ends_are_reached_and_steps_are_whole) {
    const AxisRange batch{.from = 64, .to = 1024, .log = true, .step = 8};
    EXPECT_EQ(batch.value_at(0), "64");
    EXPECT_EQ(batch.value_at(1), "1024");
    EXPECT_EQ(batch.value_at(0.5), "256");  // the geometric mean
    for (double share = 0; share < 1; share += 0.013) EXPECT_EQ(std::fmod(batch.number_at(share) - 64, 8), 0) << share;
    const AxisRange bandwidth{.from = 2, .to = 8, .unit = " TB/s"};
    EXPECT_EQ(bandwidth.value_at(0.25), "3.5 TB/s");
    const AxisRange short_of_the_end{.from = 0, .to = 10, .step = 4};
    EXPECT_EQ(short_of_the_end.value_at(1), "8");
    EXPECT_NEAR(batch.share_of(256), 0.5, 1e-12);
}

TEST(PointPlan, crosses_values_and_gives_every_combination_the_same_places) {
    const std::vector<Axis> axes{{.paths = {"a"}, .values = {{"1"}, {"2"}}},
                                 {.paths = {"r", "s"}, .ranges = {{.from = 0, .to = 1}, {.from = 10, .to = 20}}},
                                 {.paths = {"b"}, .values = {{"x"}, {"y"}, {"z"}}}};
    const PointPlan plan(axes, SampleSpec{.points = 4}, 100);
    ASSERT_EQ(plan.size(), 24u);
    EXPECT_EQ(plan.ranges(), 1u);  // zipped ranges are one
    EXPECT_EQ(plan.settings(0), (Settings{{"a", "1"}, {"r", "0"}, {"s", "10"}, {"b", "x"}}));
    EXPECT_EQ(plan.settings(11), (Settings{{"a", "2"}, {"r", "0.5"}, {"s", "15"}, {"b", "z"}}));
    EXPECT_THROW(PointPlan(axes, SampleSpec{.points = 4}, 23), InputError);
}

// The highest x + y in the quarter of the unit disc stands at (1, 1) / sqrt(2).
Trial in_the_disc(const UnitPoint& place) {
    return {.value = place[0] + place[1], .violations = {place[0] * place[0] + place[1] * place[1] - 1}};
}

TEST(ContinuousOptimum, cobyla_goes_to_the_constraint_and_keeps_its_path) {
    const auto found = optimise({.method = OptimiseMethod::cobyla, .evaluations = 200}, {0.2, 0.1}, in_the_disc);
    EXPECT_EQ(found.path.front().place, (UnitPoint{0.2, 0.1}));
    EXPECT_TRUE(found.path[found.best].trial.feasible());
    EXPECT_NEAR(found.path[found.best].trial.value, std::sqrt(2.0), 2e-3);
}

TEST(ContinuousOptimum, direct_leaves_a_local_optimum) {
    // Two hills of height 1 and 2; the start stands on the lower one.
    const auto hills = [](const UnitPoint& p) {
        const auto hill = [&](double x, double y) {
            return std::exp(-40 * (std::pow(p[0] - x, 2) + std::pow(p[1] - y, 2)));
        };
        return Trial{.value = hill(0.2, 0.2) + 2 * hill(0.8, 0.7)};
    };
    const auto found = optimise({.method = OptimiseMethod::direct, .evaluations = 400}, {0.2, 0.2}, hills);
    EXPECT_GT(found.path[found.best].trial.value, 1.95);
    EXPECT_LE(found.path.size(), 400u);
}

TEST(ContinuousOptimum, stays_at_the_start_where_nothing_else_runs) {
    const auto found = optimise({.evaluations = 30}, {0.5}, [](const UnitPoint& place) {
        return place[0] == 0.5 ? Trial{.value = 3} : Trial{.runs = false};
    });
    EXPECT_EQ(found.best, 0u);
    EXPECT_LE(found.path.size(), 30u);
}

}  // namespace
}  // namespace strata
