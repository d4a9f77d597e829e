// Ranks of an expert group that get different shares of the tokens: who waits for whom.
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/engine/systemc/exchanges.hpp"
#include "sim/engine/systemc/systemc_engine.hpp"
#include "sim/workload/inputs.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

TEST(Arrivals, end_when_the_receivers_queue_is_empty) {
    // Two senders one after the other, 10 us each: half is there at 10 us, all at 20 us.
    const Arrivals arrivals({{0.0_us, 10.0_us, 1}, {10.0_us, 20.0_us, 1}});
    EXPECT_NEAR(to_us(arrivals.end(10.0_us)), 20, 1e-9);  // takes in twice as fast as they send
    EXPECT_NEAR(to_us(arrivals.end(30.0_us)), 30, 1e-9);  // its own link binds from the start
    // The second sends three quarters: at 10 us 22.5 of 30 us are still to come.
    EXPECT_NEAR(to_us(Arrivals({{0.0_us, 10.0_us, 1}, {10.0_us, 20.0_us, 3}}).end(30.0_us)), 32.5, 1e-9);
    // All at once at 5 us.
    EXPECT_NEAR(to_us(Arrivals({{5.0_us, 5.0_us, 1}, {5.0_us, 5.0_us, 1}}).end(7.0_us)), 12, 1e-9);
}

Machine two_nodes() {
    Machine machine;
    machine.ranks = 2;
    machine.memory = 1000.0_GBps;
    machine.scale_up = 100.0_GBps;
    return machine;
}

Task experts(double duration_us, int variation) {
    return {.name = "experts", .lane = Lane::compute, .variation = variation, .duration = Seconds(duration_us * 1e-6)};
}

Task exchange(double duration_us, double latency_us, int variation) {
    return {.name = "combine",
            .lane = Lane::scale_up,
            .peers = 4,
            .joins = true,
            .variation = variation,
            .duration = Seconds(duration_us * 1e-6),
            .latency = Seconds(latency_us * 1e-6)};
}

TEST(ExpertGroup, waits_for_its_slowest_rank_at_every_exchange) {
    // Four ranks on two nodes compute 100, 50, 50, 50 us, send for 10 us, and compute for 10, 40, 10, 10 us: the
    // slowest of each part is another rank. 100 + 10 + 2 + 40; each rank alone would take 122 or 102.
    const Program program{.tasks = {experts(100, 0), exchange(12, 2, -1), experts(40, 1)},
                          .edges = {{0, 1}, {1, 2}},
                          .differing_ranks = 4,
                          .variations = {{{1, 0.5, 0.5, 0.5}, {}}, {{0.25, 1, 0.25, 0.25}, {}}}};
    EXPECT_NEAR(to_us(run_systemc(program, two_nodes(), 4).timeline.makespan), 152, 1e-6);
}

TEST(ExpertGroup, a_rank_that_receives_most_is_done_last) {
    // All send for 10 us; rank 2 takes in twice as much as the others, so 20 us of the busiest direction.
    const Program program{.tasks = {exchange(22, 2, 0)},
                          .edges = {},
                          .differing_ranks = 4,
                          .variations = {{{0.5, 0.5, 0.5, 0.5}, {1 / 3.0, 1 / 3.0, 1, 1 / 3.0}}}};
    const Simulation simulation = run_systemc(program, two_nodes(), 4);
    EXPECT_NEAR(to_us(simulation.timeline.makespan), 22, 1e-6);
    ASSERT_FALSE(simulation.resources.empty());
    EXPECT_EQ(simulation.resources.front().name.substr(0, 5), "node1");  // that of the slowest
}

TEST(ExpertGroup, neighbours_that_exchange_do_not_wait_for_others) {
    // Pairs: ranks 0 and 1 have 100 us before it, 2 and 3 10 us.
    Task pair = exchange(12, 2, -1);
    pair.peers = 2;
    const Program program{.tasks = {experts(100, 0), pair, experts(80, 1)},
                          .edges = {{0, 1}, {1, 2}},
                          .differing_ranks = 4,
                          .variations = {{{1, 1, 0.1, 0.1}, {}}, {{0.1, 0.1, 1, 1}, {}}}};
    // 100 + 12 + 8 of the first pair; the second 10 + 12 + 80.
    EXPECT_NEAR(to_us(run_systemc(program, two_nodes(), 4).timeline.makespan), 120, 1e-6);
}

std::string document(const std::string& workload, const std::string& placement, int nodes = 1) {
    return "{model: v3, platform: {system: CloudMatrix384, nodes: " + std::to_string(nodes) +
           "}, workload: " + workload + ", placement: " + placement + "}";
}

struct Step {
    Program program;
    Machine machine;
    int ranks;
};

Step step(Inputs& inputs, const std::string& text) {
    const Scenario scenario = read_point(text, "step", kRoot + "/scenarios/models", inputs.catalog());
    Program program = inputs.program_of(scenario);
    const Machine& machine = inputs.platform(scenario.platform).machine;
    const int ranks = simulated_ranks(program, machine, scenario.placement);
    return {std::move(program), machine, ranks};
}

const char* const kSkewed = "{kind: decode, batch: 15360, context: 4096, routing: {law: zipf, exponent: 0.5}}";
const char* const kEp320 = "{dp: 320, ep: 320, experts: {redundant: 64, order: eplb}}";

TEST(ExpertGroup, of_one_micro_batch_is_as_slow_as_the_busiest_rank_of_each_layer) {
    Inputs inputs(kRoot);
    const Step skewed = step(inputs, document(kSkewed, kEp320));
    EXPECT_EQ(skewed.ranks, 320);
    const double analytic = to_us(run_analytic(skewed.program).makespan);
    EXPECT_NEAR(to_us(run_systemc(skewed.program, skewed.machine, skewed.ranks).timeline.makespan) / analytic, 1, 1e-4);
}

TEST(ExpertGroup, starts_nothing_before_its_cause_and_overfills_nothing) {
    Inputs inputs(kRoot);
    const Step skewed = step(inputs, document(kSkewed, kEp320));
    const Simulation simulation = run_systemc(skewed.program, skewed.machine, skewed.ranks);
    const std::vector<Interval>& tasks = simulation.timeline.tasks;
    for (const Edge& edge : skewed.program.edges)
        ASSERT_LE(tasks[edge.before].end.si(), tasks[edge.after].begin.si() + 1e-12);
    for (const ResourceUse& use : simulation.resources) EXPECT_LE(use.busy, 1 + 1e-9) << use.name;
}

TEST(ExpertGroup, hides_some_of_its_stragglers_behind_another_micro_batch) {
    Inputs inputs(kRoot);
    const std::string two = "{dp: 320, ep: 320, micro_batches: 2, experts: {redundant: 64, order: eplb}}";
    const Step skewed = step(inputs, document(kSkewed, two));
    const double analytic = to_us(run_analytic(skewed.program).makespan);  // the busiest rank of all layers at once
    const double even =
        to_us(run_analytic(step(inputs, document("{kind: decode, batch: 15360, context: 4096}",
                                                 "{dp: 320, ep: 320, micro_batches: 2, experts: {redundant: 64}}"))
                               .program)
                  .makespan);
    const double systemc = to_us(run_systemc(skewed.program, skewed.machine, skewed.ranks).timeline.makespan);
    EXPECT_LT(systemc, analytic * 1.0001);
    EXPECT_GT(systemc, even);
}

TEST(ExpertGroup, receives_the_bytes_that_it_sends) {
    Inputs inputs(kRoot);
    const Step skewed = step(inputs, document(kSkewed, kEp320));
    int exchanges = 0;
    for (const Task& task : skewed.program.tasks) {
        if (!task.joins) continue;
        const Variation& ranks = skewed.program.variations.at(static_cast<std::size_t>(task.variation));
        const double sent = std::accumulate(ranks.done.begin(), ranks.done.end(), 0.0);
        EXPECT_NEAR(std::accumulate(ranks.received.begin(), ranks.received.end(), 0.0), sent, 1e-9 * sent);
        ++exchanges;
    }
    EXPECT_EQ(exchanges, 2 * 58);
}

TEST(ExpertGroup, of_one_rank_has_nobody_to_differ_from) {
    Inputs inputs(kRoot);
    const Step each_its_own =
        step(inputs,
             "{model: moe-27b, platform: {system: HGX_H200}, placement: {dp: 8}, workload: {kind: "
             "decode, batch: 64, context: 1024, routing: {law: zipf, exponent: 0.5}}}");
    EXPECT_EQ(each_its_own.ranks, 8);
    EXPECT_TRUE(each_its_own.program.variations.empty());
    const double analytic = to_us(run_analytic(each_its_own.program).makespan);
    EXPECT_NEAR(to_us(run_systemc(each_its_own.program, each_its_own.machine, 8).timeline.makespan) / analytic, 1,
                1e-6);
}

TEST(ExpertGroup, of_many_replicas_is_simulated_once) {
    Inputs inputs(kRoot);
    const std::string workload = "{kind: decode, batch: 196608, context: 1024, routing: {law: zipf, exponent: 0.5}}";
    const Step all = step(inputs, document(workload, "{dp: 8192, ep: 256}", 22));
    EXPECT_EQ(all.ranks, 256);
    EXPECT_LE(run_systemc(all.program, all.machine, all.ranks).resources.size(), 4u * 256 + 2);
}

}  // namespace
}  // namespace strata
