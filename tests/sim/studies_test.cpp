// The hardware questions under scenarios/studies: each runs, its assertions hold, and the answer that it gives between
// its points stands.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "sim/study/study.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

namespace fs = std::filesystem;
Study analysed(const std::string& name) {
    const ScenarioFile file(fmt::format("{}/scenarios/studies/{}.yaml", kRoot, name), kRoot + "/scenarios/models");
    return run_study(file, {.root = kRoot, .engines = {file.engines_of_kind().front()}});
}

// A metric by the values of a point's settings: "prefetch 512 8".
std::map<std::string, double> by_values(const Study& study, const std::string& metric) {
    std::map<std::string, double> found;
    for (const PointResult& result : study.results) {
        std::string key;
        for (const auto& [path, value] : result.settings) key += (key.empty() ? "" : " ") + value;
        if (result.run) found[key] = result.run->metrics.at(metric);
    }
    return found;
}

TEST(Studies, each_runs_and_holds_its_assertions) {
    int files = 0;
    for (const auto& entry : fs::directory_iterator(kRoot + "/scenarios/studies")) {
        if (entry.path().extension() != ".yaml") continue;
        const ScenarioFile file(entry.path().string(), kRoot + "/scenarios/models");
        if (file.search()) continue;  // a search: tests/sim/search_study_test.cpp
        const Study study = run_study(file, {.root = kRoot, .engines = {file.engines_of_kind().front()}});
        ++files;
        EXPECT_FALSE(file.assertions().empty()) << entry.path();
        int ran = 0;
        for (const PointResult& result : study.results) {
            if (!result.run) continue;
            ++ran;
            for (const Assertion& assertion : file.assertions()) {
                const auto metric = result.run->metrics.find(assertion.metric);
                ASSERT_NE(metric, result.run->metrics.end()) << entry.path() << ' ' << assertion.text;
                EXPECT_TRUE(assertion.holds(metric->second))
                    << entry.path() << ' ' << assertion.text << ' ' << metric->second;
            }
        }
        EXPECT_GE(ran, 2) << entry.path();
    }
    EXPECT_GE(files, 10);
}

TEST(Studies, the_size_of_engram_tables_asks_for_capacity_and_not_for_bandwidth) {
    const auto tpot = by_values(analysed("host-bandwidth-engram"), "decode.tpot_ms");
    for (const char* bandwidth : {" 0.1 GB/s", " 0.4 GB/s", " 38.4 GB/s"})
        EXPECT_EQ(tpot.at(std::string("8138021") + bandwidth), tpot.at(std::string("81380208") + bandwidth));
    EXPECT_GT(tpot.at("8138021 0.1 GB/s"), 1.05 * tpot.at("8138021 38.4 GB/s"));
}

TEST(Studies, of_drives_a_fetch_when_needed_is_dominated_by_one_ahead_at_every_batch) {
    const auto speed = by_values(analysed("nvme-engram"), "decode.tokens_per_s_per_accelerator");
    for (const char* rest : {" 64 1", " 64 8", " 512 1", " 512 8", " 2048 1", " 2048 8"})
        EXPECT_GT(speed.at(std::string("prefetch") + rest), 1.01 * speed.at(std::string("synchronous") + rest)) << rest;
}

// Keys are tier, where tables wait, tokens of a domain, and how they are swapped.
TEST(Studies, tables_of_many_domains_are_kept_in_host_memory_and_swapped_only_behind_long_turns) {
    const Study study = analysed("engram-domains");
    const auto speed = by_values(study, "decode.tokens_per_s_per_accelerator");
    // All in host memory: as fast as one table in HBM that is never swapped, whatever the domains.
    EXPECT_EQ(speed.at("host host 10000 pause"), speed.at("host host 1000000 pause"));
    EXPECT_GT(speed.at("host host 10000 pause"), 0.99 * speed.at("hbm nvme 1000000 behind"));
    // Turns of 10,000 tokens are shorter than any copy: waited for, and not hidden even behind the turn before.
    for (const char* swapped : {"hbm host 10000 pause", "hbm nvme 10000 pause", "hbm nvme 10000 behind"})
        EXPECT_LT(speed.at(swapped), 0.9 * speed.at("host host 10000 pause")) << swapped;
    EXPECT_LT(speed.at("hbm nvme 10000 pause"), speed.at("hbm host 10000 pause"));
    // Those of a million hide it whole.
    EXPECT_GT(speed.at("hbm nvme 1000000 behind"), speed.at("hbm nvme 1000000 pause"));
    EXPECT_GT(speed.at("hbm nvme 1000000 pause"), 0.95 * speed.at("hbm nvme 1000000 behind"));
}

TEST(Studies, a_faster_host_link_gives_engram_nothing_once_fetches_are_ahead) {
    const auto tpot = by_values(analysed("host-link-generations"), "decode.tpot_ms");
    EXPECT_EQ(tpot.at("63 GB/s 52 GB/s prefetch"), tpot.at("450 GB/s 359 GB/s prefetch"));
    EXPECT_GT(tpot.at("63 GB/s 52 GB/s synchronous"), tpot.at("450 GB/s 359 GB/s synchronous"));
}

TEST(Studies, a_supernode_pays_once_it_holds_the_whole_expert_group) {
    const auto tpot = by_values(analysed("supernode-size"), "decode.tpot_ms");
    EXPECT_EQ(tpot.at("8"), tpot.at("128"));
    EXPECT_LT(tpot.at("256"), 0.8 * tpot.at("128"));
    EXPECT_EQ(tpot.at("256"), tpot.at("1024"));
}

TEST(Studies, fp4_experts_are_faster_at_every_batch_and_fill_less) {
    const Study study = analysed("fp8-or-fp4-experts");
    const auto tpot = by_values(study, "decode.tpot_ms"), filled = by_values(study, "memory.hbm_gb");
    for (const char* batch : {" 64", " 512", " 4096"}) {
        EXPECT_LT(tpot.at(std::string("fp4_block") + batch), tpot.at(std::string("fp8_block") + batch)) << batch;
        EXPECT_LT(filled.at(std::string("fp4_block") + batch), filled.at(std::string("fp8_block") + batch)) << batch;
    }
}

TEST(Studies, more_memory_of_a_27b_model_costs_a_step_nothing) {
    const auto tpot = by_values(analysed("adding-memory"), "decode.tpot_ms");
    for (const char* batch : {" 64", " 512", " 4096"})
        EXPECT_NEAR(tpot.at(std::string("engram-40b") + batch) / tpot.at(std::string("engram-27b") + batch), 1, 1e-6);
}

TEST(Studies, the_last_stacks_of_memory_bring_least) {
    const auto speed = by_values(analysed("hbm-stacks"), "decode.tokens_per_s_per_accelerator");
    EXPECT_GT(speed.at("141 GB 4.8 TB/s"), 1.1 * speed.at("94 GB 3.2 TB/s"));
    EXPECT_LT(speed.at("282 GB 9.6 TB/s"), 1.05 * speed.at("188 GB 6.4 TB/s"));
}

// At the speed of an H200 memory binds: half as many experts give more than twice the FLOPs; half the FLOPs cost much.
TEST(Studies, half_as_many_experts_give_more_than_a_chip_twice_as_fast) {
    const auto tpot = by_values(analysed("experts-against-speed"), "decode.tpot_ms");
    const std::string slow = " 990 TFLOPS 495 TFLOPS", as_it_is = " 1979 TFLOPS 989.5 TFLOPS",
                      fast = " 3958 TFLOPS 1979 TFLOPS";
    for (const auto& [experts, half] : {std::pair<std::string, std::string>("192", "96"), {"384", "192"}}) {
        EXPECT_LT(tpot.at(half + as_it_is), tpot.at(experts + fast)) << experts;
        EXPECT_GT(tpot.at(experts + slow), 1.25 * tpot.at(experts + as_it_is)) << experts;
    }
}

// Paths that a hash chooses: the bandwidth of one wide link is shared by all flows, that of eight narrow ones unevenly.
TEST(Studies, an_exchange_over_hashed_paths_takes_longer_the_more_planes_share_its_bandwidth) {
    const auto time = by_values(analysed("network-planes"), "collective.time_us");
    EXPECT_LT(time.at("1"), time.at("2"));
    EXPECT_LT(time.at("2"), time.at("4"));
    EXPECT_LT(time.at("4"), time.at("8"));
}

TEST(Studies, a_host_whose_memory_holds_the_model_is_faster_than_one_that_fetches_it) {
    const Study study = analysed("small-hosts");
    ASSERT_EQ(study.results.size(), 3u);
    const auto& mac = study.results[0].run;
    const auto& pc = study.results[2].run;
    ASSERT_TRUE(mac && pc);
    EXPECT_FALSE(study.results[1].run);  // 128 GB do not hold it
    EXPECT_NE(study.results[1].reason.find("128.0 GB in HBM"), std::string::npos) << study.results[1].reason;
    EXPECT_GT(pc->metrics.at("decode.tpot_ms"), 1.5 * mac->metrics.at("decode.tpot_ms"));
    EXPECT_GT(pc->metrics.at("fetch.host_ms"), 0.5 * pc->metrics.at("decode.tpot_ms"));
}

}  // namespace
}  // namespace strata
