#include "sim/engine/analytic/analytic_engine.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

Task task(Lane lane, double duration_us, double latency_us = 0) {
    return {.name = "t", .lane = lane, .duration = Seconds(duration_us * 1e-6), .latency = Seconds(latency_us * 1e-6)};
}

TEST(AnalyticEngine, adds_up_a_chain) {
    const Program program{.tasks = {task(Lane::compute, 10), task(Lane::compute, 5)}, .edges = {{0, 1}}};
    EXPECT_NEAR(to_us(run_analytic(program).makespan), 15, 1e-9);
}

TEST(AnalyticEngine, hides_a_prefetch_behind_compute_and_stalls_only_if_it_is_late) {
    // fetch 8 us beside compute 10 us, then a task of 3 us that needs both: 13. With a fetch of 12: 15.
    Program program{.tasks = {task(Lane::host_fetch, 8), task(Lane::compute, 10), task(Lane::compute, 3)},
                    .edges = {{0, 2}, {1, 2}}};
    EXPECT_NEAR(to_us(run_analytic(program).makespan), 13, 1e-9);
    program.tasks.distinct(0) = task(Lane::host_fetch, 12);
    EXPECT_NEAR(to_us(run_analytic(program).makespan), 15, 1e-9);
}

TEST(AnalyticEngine, overlaps_the_latency_of_transfers_that_share_a_wire) {
    // Two transfers of 10 us on the wire and 2 us of latency: the second leaves at 10 and is there at 22.
    const Program program{.tasks = {task(Lane::scale_up, 12, 2), task(Lane::scale_up, 12, 2)}, .edges = {}};
    const Timeline timeline = run_analytic(program);
    EXPECT_NEAR(to_us(timeline.tasks[0].end), 12, 1e-9);
    EXPECT_NEAR(to_us(timeline.makespan), 22, 1e-9);
    EXPECT_NEAR(to_us(timeline.busy[static_cast<std::size_t>(Lane::scale_up)]), 20, 1e-9);
}

TEST(AnalyticEngine, of_an_empty_program_takes_no_time) { EXPECT_EQ(run_analytic({}).makespan, Seconds(0)); }

TEST(Program, becomes_a_boost_graph_with_the_same_edges) {
    const Program program{.tasks = {task(Lane::compute, 1), task(Lane::compute, 2), task(Lane::compute, 3)},
                          .edges = {{0, 1}, {0, 2}, {1, 2}}};
    const TaskGraph graph = graph_of(program);
    EXPECT_EQ(num_vertices(graph), 3u);
    EXPECT_EQ(num_edges(graph), 3u);
    EXPECT_EQ(out_degree(std::size_t{0}, graph), 2u);
    EXPECT_NEAR(to_us(graph[2].duration), 3, 1e-9);
}

}  // namespace
}  // namespace strata
