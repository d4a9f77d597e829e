// Physics of the systemc engine on programs small enough for a pencil.
#include <gtest/gtest.h>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/engine/systemc/systemc_engine.hpp"

namespace strata {
namespace {

Machine machine() {
    Machine machine;
    machine.ranks = 8;
    machine.memory = 1000.0_GBps;
    machine.host_link = 10.0_GBps;
    machine.host_memory = 40.0_GBps;
    machine.nvme = 20.0_GBps;
    machine.nvme_iops = 1e6;
    machine.scale_up = 100.0_GBps;
    machine.scale_out = 50.0_GBps;
    return machine;
}

Task compute(double duration_us, Bytes moved) {
    return {.name = "op", .lane = Lane::compute, .moved = moved, .duration = Seconds(duration_us * 1e-6)};
}

// As build_program makes them: the duration is that of an even share among `sharing` ranks.
Task fetch(Lane lane, Bytes bytes, double sharing = 1, double latency_us = 0, double requests = 0) {
    Task task{.name = "rows",
              .lane = lane,
              .pricing = Pricing::fetch,
              .moved = bytes,
              .on_link = bytes,
              .requests = requests,
              .latency = Seconds(latency_us * 1e-6)};
    task.duration = evenly_shared_fetch(task, machine(), sharing) + task.latency;
    return task;
}

double used(const Simulation& simulation, const std::string& name, Bytes* bytes = nullptr) {
    for (const ResourceUse& use : simulation.resources)
        if (use.name == name) {
            if (bytes) *bytes = use.bytes;
            return use.busy;
        }
    ADD_FAILURE() << "no resource " << name;
    return 0;
}

Bytes served(const Simulation& simulation, const std::string& name) {
    Bytes bytes;
    used(simulation, name, &bytes);
    return bytes;
}

double makespan_us(const Program& program, const Machine& on, int ranks) {
    return to_us(run_systemc(program, on, ranks).timeline.makespan);
}

TEST(SystemcEngine, adds_up_a_chain_and_names_what_it_used) {
    const Program program{.tasks = {compute(10, Bytes(5e6)), compute(5, Bytes(1e6))}, .edges = {{0, 1}}};
    const Simulation simulation = run_systemc(program, machine(), 2);
    EXPECT_NEAR(to_us(simulation.timeline.makespan), 15, 1e-6);
    // 6 MB at 1 TB/s are 6 us of 15.
    EXPECT_NEAR(used(simulation, "node0.gpu1.hbm"), 6.0 / 15, 1e-6);
    EXPECT_EQ(served(simulation, "node0.gpu0.hbm"), Bytes(6e6));
}

// Ranks that wait for each other are what could be left of an earlier one.
TEST(SystemcEngine, simulates_again_as_if_it_were_the_first_time) {
    const Program program{.tasks = {fetch(Lane::host_fetch, Bytes(3e6), 4), compute(50, Bytes(2e7))}, .edges = {}};
    const Simulation first = run_systemc(program, machine(), 4);
    run_systemc({.tasks = {compute(10, Bytes(5e6)), compute(5, Bytes(1e6))}, .edges = {{0, 1}}}, machine(), 2);
    const Simulation again = run_systemc(program, machine(), 4);
    EXPECT_EQ(again.timeline.makespan, first.timeline.makespan);
    EXPECT_EQ(again.timeline.tasks.back().end, first.timeline.tasks.back().end);
    ASSERT_EQ(again.resources.size(), first.resources.size());
    for (std::size_t i = 0; i < first.resources.size(); ++i) {
        EXPECT_EQ(again.resources[i].name, first.resources[i].name);
        EXPECT_EQ(again.resources[i].busy, first.resources[i].busy) << first.resources[i].name;
    }
}

TEST(SystemcEngine, keeps_the_order_of_a_lane_and_overlaps_latency) {
    // As in the analytic engine: the second transfer leaves at 10 us and is there at 22.
    Task transfer{.name = "send", .lane = Lane::scale_up, .moved = Bytes(1e6), .duration = 12.0_us, .latency = 2.0_us};
    const Program program{.tasks = {transfer, transfer}, .edges = {}};
    const Timeline timeline = run_systemc(program, machine(), 1).timeline;
    EXPECT_NEAR(to_us(timeline.tasks[0].end), 12, 1e-6);
    EXPECT_NEAR(to_us(timeline.makespan), 22, 1e-6);
    EXPECT_NEAR(to_us(timeline.busy[static_cast<std::size_t>(Lane::scale_up)]), 20, 1e-6);
}

TEST(SystemcEngine, takes_no_wire_for_an_exchange_that_is_all_latency) {
    // A table has an all-reduce of 1 MB as fast as one of nothing; at 100 GB/s it would be 10 us more.
    const Task exchange{
        .name = "sum", .lane = Lane::scale_up, .moved = Bytes(1e6), .duration = 2.0_us, .latency = 2.0_us};
    EXPECT_NEAR(makespan_us({.tasks = {exchange, exchange}, .edges = {{0, 1}}}, machine(), 1), 4, 1e-6);
}

TEST(SystemcEngine, fetches_from_host_and_drives_share_the_host_link) {
    // 1 MB each at 10 GB/s: 100 us alone, 200 us together. The analytic engine sees two lanes and says 100.
    const Program program{.tasks = {fetch(Lane::host_fetch, Bytes(1e6)), fetch(Lane::nvme_fetch, Bytes(1e6))},
                          .edges = {}};
    EXPECT_NEAR(to_us(run_analytic(program).makespan), 100, 1e-6);
    const Simulation simulation = run_systemc(program, machine(), 1);
    EXPECT_NEAR(to_us(simulation.timeline.makespan), 200, 1e-6);
    // They take turns: both end late, within two chunks of each other.
    EXPECT_NEAR(to_us(simulation.timeline.tasks[0].end), 200, 2 * 0.41);
    EXPECT_NEAR(used(simulation, "node0.gpu0.host_link"), 1, 1e-6);
}

TEST(SystemcEngine, ranks_share_host_memory_evenly) {
    // 8 ranks of 1 MB over 40 GB/s: 200 us; alone each would take 100 us over its link.
    const Program program{.tasks = {fetch(Lane::host_fetch, Bytes(1e6), 8)}, .edges = {}};
    const Simulation simulation = run_systemc(program, machine(), 8);
    EXPECT_NEAR(to_us(simulation.timeline.makespan), 200, 0.01);
    EXPECT_NEAR(to_us(run_analytic(program).makespan), 200, 1e-6);
    EXPECT_NEAR(used(simulation, "node0.host_memory"), 1, 1e-4);
}

TEST(SystemcEngine, drives_are_limited_by_reads_where_rows_are_short) {
    // 2 ranks x 1000 reads at 1 M/s: 2 ms, whatever 1 MB would take; 5 us of latency once.
    const Program program{.tasks = {fetch(Lane::nvme_fetch, Bytes(1e6), 2, 5, 1000)}, .edges = {}};
    EXPECT_NEAR(to_us(run_systemc(program, machine(), 2).timeline.makespan), 2005, 0.01);
}

TEST(SystemcEngine, fetched_rows_take_memory_time_from_ops_that_need_all_of_it) {
    // The op alone fills memory for 100 us (100 MB at 1 TB/s); 0.5 MB of rows land meanwhile, and the next such op
    // waits for the 0.5 us that they cost.
    const Program program{
        .tasks = {fetch(Lane::host_fetch, Bytes(0.5e6)), compute(100, Bytes(1e8)), compute(100, Bytes(1e8))},
        .edges = {{1, 2}}};
    EXPECT_NEAR(to_us(run_analytic(program).makespan), 200, 1e-6);
    EXPECT_NEAR(to_us(run_systemc(program, machine(), 1).timeline.makespan), 200.5, 0.01);
}

TEST(SystemcEngine, an_op_that_leaves_memory_time_hides_fetched_rows) {
    const Program program{
        .tasks = {fetch(Lane::host_fetch, Bytes(0.5e6)), compute(100, Bytes(5e7)), compute(100, Bytes(5e7))},
        .edges = {{1, 2}}};
    EXPECT_NEAR(to_us(run_systemc(program, machine(), 1).timeline.makespan), 200, 1e-6);
}

TEST(SystemcEngine, conserves_bytes_and_is_never_busier_than_time) {
    const Program program{.tasks = {fetch(Lane::host_fetch, Bytes(3e6)), fetch(Lane::nvme_fetch, Bytes(2e6)),
                                    compute(50, Bytes(2e7)), compute(80, Bytes(7e7))},
                          .edges = {{0, 3}, {2, 3}}};
    const Simulation simulation = run_systemc(program, machine(), 4);
    EXPECT_NEAR(served(simulation, "node0.host_memory").si(), 4 * 3e6, 1e-3);
    EXPECT_NEAR(served(simulation, "node0.nvme").si(), 4 * 2e6, 1e-3);
    for (int i = 0; i < 4; ++i) {
        const std::string gpu = "node0.gpu" + std::to_string(i);
        EXPECT_NEAR(served(simulation, gpu + ".host_link").si(), 5e6, 1e-3);
        EXPECT_NEAR(served(simulation, gpu + ".hbm").si(), 9e7 + 5e6, 1e-3);
    }
    for (const ResourceUse& use : simulation.resources) EXPECT_LE(use.busy, 1 + 1e-9) << use.name;
    EXPECT_GE(simulation.timeline.makespan.si(), run_analytic(program).makespan.si() * (1 - 1e-9));
}

TEST(SystemcEngine, more_bandwidth_is_never_slower) {
    const Program program{.tasks = {fetch(Lane::host_fetch, Bytes(3e6), 4), fetch(Lane::nvme_fetch, Bytes(2e6), 4),
                                    compute(50, Bytes(4e7)), compute(80, Bytes(7e7))},
                          .edges = {{0, 3}, {2, 3}}};
    const double before = makespan_us(program, machine(), 4);
    for (Bandwidth Machine::*part : {&Machine::memory, &Machine::host_link, &Machine::host_memory, &Machine::nvme}) {
        Machine faster = machine();
        faster.*part = faster.*part * 1.5;
        EXPECT_LE(makespan_us(program, faster, 4), before * (1 + 1e-9));
    }
    Machine faster = machine();
    faster.host_memory = faster.host_memory * 1.5;
    EXPECT_LT(makespan_us(program, faster, 4), before);  // four ranks do wait for it
}

// Four ranks fetch 3 MB each through a host memory of 40 GB/s, which takes 300 us, and compute beside it.
TEST(SystemcEngine, keeps_when_each_part_was_busy_where_a_trace_is_asked_for) {
    const Program program{.tasks = {fetch(Lane::host_fetch, Bytes(3e6), 4), compute(50, Bytes(2e7))}, .edges = {}};
    const Simulation simulation = run_systemc(program, machine(), 4, Detail::op, true);
    ASSERT_EQ(simulation.traces.size(), 1u);  // all compute alike
    const RankTrace& trace = simulation.traces.front();
    EXPECT_EQ(trace.role, "slowest");
    EXPECT_EQ(trace.timeline.tasks.size(), 2u);
    for (const BusyPart& part : trace.parts) {
        Seconds busy, last;
        for (const Interval& at : part.busy) {
            EXPECT_GE(at.begin, last) << part.name;
            EXPECT_GT(at.end, at.begin) << part.name;
            last = at.end;
            busy += at.end - at.begin;
        }
        // As much as the part itself counts.
        EXPECT_NEAR(busy / trace.timeline.makespan, used(simulation, part.name), 1e-6) << part.name;
        if (part.name == "node0.host_memory") {
            EXPECT_NEAR(to_us(busy), 300, 0.1);
            EXPECT_LT(part.busy.size(), 5u);  // chunks that follow each other are one
        }
    }
    EXPECT_EQ(trace.parts.size(), 3u);  // HBM, host link, host memory: nothing goes over the others
}

TEST(SystemcEngine, keeps_nothing_where_no_trace_is_asked_for) {
    const Program program{.tasks = {fetch(Lane::host_fetch, Bytes(3e6), 4)}, .edges = {}};
    EXPECT_TRUE(run_systemc(program, machine(), 4).traces.empty());
}

TEST(SystemcEngine, of_an_empty_program_takes_no_time) {
    EXPECT_EQ(run_systemc({}, machine(), 1).timeline.makespan, Seconds(0));
}

}  // namespace
}  // namespace strata
