// What the engine records of its parts is what it accounts for them.
#include <gtest/gtest.h>

#include "sim/engine/systemc/systemc_engine.hpp"

namespace strata {
namespace {

Machine traced_machine() {
    Machine machine;
    machine.ranks = 2;
    machine.memory = 1000.0_GBps;
    machine.host_link = 10.0_GBps;
    machine.host_memory = 10.0_GBps;
    machine.scale_up = 100.0_GBps;
    return machine;
}

// A product, beside it rows from host memory, and an op that waits for both.
Program program() {
    Task product{.name = "product", .lane = Lane::compute, .moved = Bytes(5e6), .duration = Seconds(10e-6)};
    Task rows{.name = "rows",
              .lane = Lane::host_fetch,
              .pricing = Pricing::fetch,
              .moved = Bytes(1e5),
              .on_link = Bytes(1e5)};
    rows.duration = evenly_shared_fetch(rows, traced_machine(), 2);
    Task last = product;
    last.name = "last";
    return {.tasks = {product, rows, last}, .edges = {{0, 2}, {1, 2}}};
}

const TraceTrack* track_of(const Simulation& simulation, const std::string& resource) {
    for (const TraceTrack& track : simulation.tracks)
        if (track.resource == resource) return &track;
    return nullptr;
}

TEST(SystemcTrace, is_not_recorded_unless_asked_for) {
    EXPECT_TRUE(run_systemc(program(), traced_machine(), 2).tracks.empty());
}

TEST(SystemcTrace, of_every_resource_is_as_busy_as_its_account_and_never_does_two_things) {
    const Simulation simulation = run_systemc(program(), traced_machine(), 2, Detail::op, true);
    const double step_ps = simulation.timeline.makespan.si() * 1e12;
    int busy = 0;
    for (const ResourceUse& use : simulation.resources) {
        const TraceTrack* track = track_of(simulation, use.name);
        EXPECT_EQ(track != nullptr, use.busy > 0) << use.name;
        if (!track) continue;
        ++busy;
        EXPECT_NEAR(double(track->busy()), use.busy * step_ps, 1) << use.name;
        for (std::size_t i = 1; i < track->slices.size(); ++i)
            EXPECT_GE(track->slices[i].begin, track->slices[i - 1].end) << use.name;
    }
    EXPECT_EQ(busy, 5);  // host memory, and memory and host link of two ranks
}

// Two ranks fetch 100 kB each from 10 GB/s: 20 us in all, and they take turns.
TEST(SystemcTrace, says_which_op_of_which_rank_it_was) {
    const Simulation simulation = run_systemc(program(), traced_machine(), 2, Detail::op, true);
    const TraceTrack* host = track_of(simulation, "node0.host_memory");
    ASSERT_TRUE(host);
    EXPECT_NEAR(double(host->busy()), 20e6, 2e6 / 256);
    std::array<TraceTime, 2> of_rank{};
    for (const TraceSlice& slice : host->slices) {
        EXPECT_EQ(slice.op, 1u);
        of_rank.at(slice.rank) += slice.end - slice.begin;
    }
    EXPECT_NEAR(double(of_rank[0]), 10e6, 1e6 / 256);
    EXPECT_GT(host->slices.size(), 10u);
    const TraceTrack* lane = track_of(simulation, "node0.gpu1.compute_engine");
    ASSERT_TRUE(lane);
    ASSERT_EQ(lane->slices.size(), 2u);
    EXPECT_EQ(lane->slices[1].op, 2u);
    EXPECT_EQ(lane->slices[0].end - lane->slices[0].begin, 10'000'000);
}

}  // namespace
}  // namespace strata
