// A scenario of kind collective: what it reads and refuses, and what its metrics are.
#include <gtest/gtest.h>

#include "sim/study/study.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

// Eight on one switch at 1 GB/s, a microsecond apart: times are easy to say.
const std::string kSwitch =
    "{size: {endpoints: 8, domain: 8}, scale_up: {shape: {topology: fat_tree, levels: 1, radix: 8}, "
    "bandwidth: 1 GB/s, latency: 1 us, switch_usd: 1000}}";
// Four domains of two, each rail with a network of its own.
const std::string kRails =
    "{size: {endpoints: 8, domain: 2}, scale_up: {shape: {topology: fat_tree, levels: 1, radix: 2}, "
    "bandwidth: 4 GB/s, latency: 1 us}, scale_out: {shape: {topology: fat_tree, levels: 1, radix: 4}, "
    "wiring: rail_planes, planes: 2, bandwidth: 1 GB/s, latency: 1 us}}";

class CollectiveScenario : public ::testing::Test {
protected:
    Study study_of(const std::string& fabric, const std::string& workload, const std::string& rest = "") {
        const std::string text =
            "platform: {fabric: " + fabric + "}\nworkload: {kind: collective, " + workload + "}\n" + rest;
        return run_study(ScenarioFile(folder.write("s.yaml", text), kRoot + "/scenarios/models"),
                         {.root = kRoot, .simulator = STRATA_BINARY_DIR "/strata-simulate"});
    }
    std::map<std::string, double> metrics_of(const std::string& fabric, const std::string& workload,
                                             const std::string& rest = "") {
        return study_of(fabric, workload, rest).results.front().run.value().metrics;
    }
    std::string refusal_of(const std::string& fabric, const std::string& workload, const std::string& rest = "") {
        try {
            return study_of(fabric, workload, rest).results.front().reason;
        } catch (const InputError& error) {
            return error.what();
        }
    }
    void expect_refused(const std::string& fabric, const std::string& workload, const std::string& why,
                        const std::string& rest = "") {
        const std::string refusal = refusal_of(fabric, workload, rest);
        EXPECT_NE(refusal.find(why), std::string::npos) << refusal;
    }
    const ScratchFolder folder;
};

TEST_F(CollectiveScenario, has_the_bandwidths_of_nccl_tests) {
    // 8 MB of each rank: 7 MB leave it at 1 GB/s; a start of 1 us and a latency of 1 us.
    const auto all_to_all = metrics_of(kSwitch, "operation: all_to_all, bytes: 8 MB, startup: 1 us");
    EXPECT_NEAR(all_to_all.at("collective.time_us"), 7002, 1e-6);
    EXPECT_NEAR(all_to_all.at("collective.wire_us"), 7000, 1e-6);
    EXPECT_NEAR(all_to_all.at("collective.latency_us"), 1, 1e-6);
    EXPECT_NEAR(all_to_all.at("collective.algorithm_bandwidth_GBps"), 8000.0 / 7002, 1e-6);
    EXPECT_NEAR(all_to_all.at("collective.bus_bandwidth_GBps"), 7000.0 / 7002, 1e-6);
    EXPECT_NEAR(all_to_all.at("collective.busiest_link_share"), 7000.0 / 7002, 1e-6);
    // An all-reduce by a ring moves as much twice, in 14 steps.
    const auto ring = metrics_of(kSwitch, "operation: all_reduce, bytes: 8 MB, startup: 1 us");
    EXPECT_NEAR(ring.at("collective.time_us"), 1 + 14000 + 14, 1e-6);
    EXPECT_NEAR(ring.at("collective.bus_bandwidth_GBps"), 14000.0 / 14015, 1e-6);
}

TEST_F(CollectiveScenario, a_step_can_cost_what_its_library_says) {
    const auto ring = metrics_of(kSwitch, "operation: all_gather, bytes: 8 MB, startup: 0 us, scale_up_step: 5 us");
    EXPECT_NEAR(ring.at("collective.time_us"), 7000 + 7 * 5, 1e-6);
}

TEST_F(CollectiveScenario, counts_copies_of_tokens_as_deepep_does) {
    // 1,000 tokens of 1 kB for 2 experts on 8 ranks: 15/8 distinct ranks each, seven of eight copies for others.
    const auto dispatch =
        metrics_of(kSwitch, "operation: dispatch, tokens: 1000, hidden: 1000, top_k: 2, startup: 0 us");
    const double copies = 2 - 1.0 / 8;
    EXPECT_NEAR(dispatch.at("collective.wire_us"), 1000 * copies * 7 / 8, 1e-6);
    EXPECT_NEAR(dispatch.at("collective.algorithm_bandwidth_GBps"), 1000 * copies / dispatch.at("collective.time_us"),
                1e-6);
    const auto each =
        metrics_of(kSwitch, "operation: dispatch, tokens: 1000, hidden: 1000, top_k: 2, copies: per_expert");
    EXPECT_NEAR(each.at("collective.wire_us"), 2000.0 * 7 / 8, 1e-6);
}

TEST_F(CollectiveScenario, synchronisation_and_jitter_make_it_wait) {
    const auto waits = metrics_of(kSwitch, "operation: all_to_all, bytes: 8 MB, startup: 0 us, synchronisation: 0.15");
    EXPECT_NEAR(waits.at("collective.waiting_us"), 0.15 * 7001, 1e-6);
    EXPECT_NEAR(waits.at("collective.time_us"), 1.15 * 7001, 1e-6);
}

TEST_F(CollectiveScenario, says_what_is_known_of_the_fabric_and_no_more) {
    const auto metrics = metrics_of(kSwitch, "operation: all_to_all, bytes: 8 MB");
    EXPECT_EQ(metrics.at("fabric.switches"), 1);
    EXPECT_EQ(metrics.at("fabric.links"), 8);
    EXPECT_EQ(metrics.at("fabric.diameter"), 2);
    EXPECT_NEAR(metrics.at("fabric.bisection_GBps"), 4, 1e-9);
    EXPECT_EQ(metrics.at("fabric.usd_per_endpoint"), 125);  // its one switch, of 1,000
    EXPECT_FALSE(metrics.count("fabric.power_w"));
}

TEST_F(CollectiveScenario, packets_take_the_same_time_where_nothing_is_in_the_way) {
    const Study study = study_of(kSwitch, "operation: all_to_all, bytes: 8 MB", "engines: [flow, packet]");
    ASSERT_EQ(study.results.size(), 2u);
    ASSERT_TRUE(study.results[1].run) << study.results[1].reason;
    EXPECT_EQ(study.results[1].engine, "packet");
    const auto time = [&](int i) { return study.results[std::size_t(i)].run->metrics.at("collective.time_us"); };
    EXPECT_NEAR(time(1) / time(0), 1, 0.02);
}

TEST_F(CollectiveScenario, planes_that_do_not_meet_need_forwarding) {
    const std::string all = "operation: all_to_all, bytes: 8 MB, crossing: ";
    EXPECT_GT(metrics_of(kRails, all + "forwarded").at("collective.time_us"), 6000);  // 6 MB leave over the card
    expect_refused(kRails, all + "direct", "no route from endpoint");
    // In a sweep that is a result.
    const Study study =
        study_of(kRails, all + "forwarded", "axes: [{path: workload.crossing, values: [direct, forwarded]}]");
    EXPECT_EQ(study.results[0].status, PointStatus::infeasible);
    EXPECT_EQ(study.results[1].status, PointStatus::ok);
}

TEST_F(CollectiveScenario, refuses_what_does_not_go_together) {
    expect_refused(kSwitch, "operation: all_to_all, bytes: 8 MB, ranks: 9",
                   "expected at most its 8 endpoints as ranks");
    expect_refused(kRails, "operation: all_reduce, bytes: 8 MB, ranks: 3",
                   "expected as many ranks in each scale-up domain");
    expect_refused(kSwitch, "operation: all_to_all, bytes: 8 MB, tokens: 4",
                   "this field belongs to dispatch and combine");
    expect_refused(kSwitch, "operation: all_to_all, bytes: 8 MB, algorithm: ring",
                   "this field belongs to all_reduce, all_gather and reduce_scatter");
    expect_refused(kSwitch, "operation: dispatch, tokens: 4, hidden: 8", "top_k: expected a number");
    expect_refused(kSwitch, "operation: all_to_all", "workload.bytes");
    expect_refused(kSwitch, "operation: all_reduce, bytes: 1 MB, algorithm: in_network", "switches that reduce");
    expect_refused(kSwitch, "operation: all_to_all, bytes: 1 MB, paths: adaptive", "use engines: [packet]");
    expect_refused(kSwitch, "operation: all_to_all, bytes: 1 MB", "a collective has no model", "model: v3\n");
    expect_refused("DGX_H200, system: HGX_H200", "operation: all_to_all, bytes: 1 MB",
                   "a collective runs on platform.fabric alone");
    expect_refused("TPU_v5p_cube", "operation: all_to_all, bytes: 1 MB", "scale_up.latency is null");
    expect_refused(kSwitch, "operation: all_to_all, bytes: 1 MB",
                   "expected an engine of kind collective (flow, packet)", "engines: [analytic]\n");
}

TEST_F(CollectiveScenario, tells_of_a_deadlock) {
    expect_refused(
        "{size: {endpoints: 8, domain: 8}, scale_up: {shape: {topology: torus, sides: [8]}, "
        "bandwidth: 50 GB/s, latency: 1 us, hop: 0.2 us}}",
        "operation: all_to_all, bytes: 64 MB, virtual_channels: 1, buffer_packets: 2", "deadlock",
        "engines: [packet]\n");
}

}  // namespace
}  // namespace strata
