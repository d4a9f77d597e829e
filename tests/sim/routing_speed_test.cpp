// The sizes that a study asks for are quick enough to ask in each step; strata-bench says how quick.
#include <gtest/gtest.h>

#include <ctime>

#include "sim/placement/expert_placement.hpp"
#include "sim/routing/score_routing.hpp"

namespace strata {
namespace {

// Of this thread alone: other programs on the machine do not count.
double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

TEST(RoutingSpeed, a_step_of_61_layers_on_384_ranks_takes_milliseconds) {
    // 3 ms at most measured in a release build, the goal is 20; sanitizers take ten times that.
    for (const std::optional<double> half_life : {std::optional<double>(), std::optional(500.0)}) {
        ScoreRouting routing({.router = {.experts = 256, .top_k = 8},
                              .layers = 61,
                              .tokens = 128 * 384,
                              .popularity = {.law = PopularityLaw::zipf, .exponents = {0.8}, .half_life = half_life}});
        const ExpertPlacement placement = linear_placement(256, 128, 384);
        double pairs = 0;
        const double start = cpu_seconds();
        constexpr int steps = 10;
        for (int step = 0; step < steps; ++step)
            for (int layer = 0; layer < 61; ++layer)
                for (const double tokens : rank_loads(placement, routing.loads(layer, step))) pairs += tokens;
        const double each = (cpu_seconds() - start) / steps;
        EXPECT_NEAR(pairs, steps * 61.0 * 128 * 384 * 8, 1);
#ifdef __SANITIZE_ADDRESS__
        EXPECT_LT(each, 0.4);
#else
        EXPECT_LT(each, 0.02);
#endif
    }
}

}  // namespace
}  // namespace strata
