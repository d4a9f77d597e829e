#include "sim/workload/micro_batches.hpp"

#include <gtest/gtest.h>

#include "sim/engine/analytic/analytic_engine.hpp"

namespace strata {
namespace {

Task task(Lane lane, double duration_us) {
    Task task;
    task.name = "t";
    task.lane = lane;
    task.pricing = lane == Lane::compute ? Pricing::kernel : Pricing::wire;
    task.duration = Seconds(duration_us * 1e-6);
    return task;
}

// compute 10, exchange 8, compute 5.
Program layer() {
    return {.tasks = {task(Lane::compute, 10), task(Lane::scale_up, 8), task(Lane::compute, 5)},
            .edges = {{0, 1}, {1, 2}}};
}

double makespan_us(const Program& program) { return to_us(run_analytic(program).makespan); }

TEST(MicroBatches, of_one_change_nothing) {
    EXPECT_NEAR(makespan_us(interleaved(layer(), 1)), 23, 1e-9);
    EXPECT_NEAR(makespan_us(repeated(layer(), 1)), 23, 1e-9);
}

TEST(MicroBatches, hide_their_exchanges_behind_each_other) {
    // Compute: A 0-10, B 10-20, A 20-25 (its exchange ended at 18), B 28-33 (its exchange ran 20-28).
    const Program two = interleaved(layer(), 2);
    EXPECT_NEAR(makespan_us(two), 33, 1e-9);
    EXPECT_EQ(two.tasks.batch(0), 0);
    EXPECT_EQ(two.tasks.batch(2), 1);  // A up to its exchange, then B
}

TEST(MicroBatches, of_a_pipeline_stage_follow_one_another) {
    const Program three = repeated(interleaved(layer(), 2), 3);
    EXPECT_NEAR(makespan_us(three), 3 * 33, 1e-9);
    EXPECT_EQ(three.tasks.batch(three.tasks.size() - 1), 5);
}

TEST(MicroBatches, wait_for_the_pipeline_to_fill_without_keeping_a_lane_busy) {
    // Two turns of 23 before the own.
    const Timeline timeline = run_analytic(delayed(layer(), 2));
    EXPECT_NEAR(to_us(timeline.makespan), 3 * 23, 1e-9);
    EXPECT_EQ(timeline.busy[static_cast<std::size_t>(Lane::scale_out)], Seconds(0));
}

TEST(MicroBatches, let_prefetches_of_the_next_one_run_ahead) {
    // A fetch of 12 beside compute of 10; the next micro-batch's fetch is done at 24, its compute at 20 + 5.
    const Program one{.tasks = {task(Lane::host_fetch, 12), task(Lane::compute, 10), task(Lane::compute, 5)},
                      .edges = {{0, 2}, {1, 2}}};
    EXPECT_NEAR(makespan_us(one), 17, 1e-9);
    EXPECT_NEAR(makespan_us(repeated(one, 2)), 17 + 10 + 5, 1e-9);
}

}  // namespace
}  // namespace strata
