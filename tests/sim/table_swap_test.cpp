// Tables of several domains: what a swap takes by the platform's bandwidths, and what of it is waited for.
#include "sim/result/table_swap.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "sim/model/accounting.hpp"
#include "sim/study/study.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

class TableSwaps : public testing::Test {
protected:
    PointResult result_of(const std::string& engram,
                          const std::string& workload = "kind: decode, batch: 512, context: 8192") {
        const std::string file = folder_.write(
            "scenario.yaml", fmt::format("model: v4.1-flash\nplatform: {{system: HGX_H200}}\nworkload: {{{}}}\n"
                                         "placement: {{dp: 8, ep: 8, engram: {{{}}}}}\n",
                                         workload, engram));
        return run_study(ScenarioFile(file, kModels), {.root = kRoot, .engines = {"analytic"}}).results.front();
    }
    std::map<std::string, double> metrics_of(const std::string& engram) {
        const PointResult result = result_of(engram);
        EXPECT_TRUE(result.run) << result.reason;
        return result.run->metrics;
    }
    std::string refusal_of(const std::string& engram,
                           const std::string& workload = "kind: decode, batch: 512, context: 8192") {
        try {
            return result_of(engram, workload).reason;
        } catch (const InputError& error) {
            return error.what();
        }
    }

    ScratchFolder folder_;
};

TEST_F(TableSwaps, one_that_is_paused_for_adds_its_copy_to_the_time_of_a_domain) {
    const auto alone = metrics_of("tier: hbm");
    const auto swapped = metrics_of("tier: hbm, domains: {tables: 4, waiting: nvme, tokens: 100000}");
    const double turn_ms = 100000 / alone.at("decode.tokens_per_s") * 1e3;
    const double table_gb = 8 * alone.at("memory.engram_gb");
    EXPECT_GT(swapped.at("engram.swap_ms"), 0);
    EXPECT_NEAR(100000 / swapped.at("decode.tokens_per_s") * 1e3, turn_ms + swapped.at("engram.swap_ms"),
                1e-6 * turn_ms);
    EXPECT_NEAR(swapped.at("engram.swap_share"),
                swapped.at("engram.swap_ms") / (turn_ms + swapped.at("engram.swap_ms")), 1e-9);
    EXPECT_NEAR(swapped.at("memory.nvme_gb"), 4 * table_gb, 1e-6 * table_gb);
    EXPECT_NEAR(swapped.at("memory.engram_gb"), table_gb / 8, 1e-6 * table_gb);
}

TEST_F(TableSwaps, one_behind_a_turn_is_waited_for_as_far_as_the_turn_does_not_cover_it) {
    const auto alone = metrics_of("tier: hbm");
    const std::string swap = "tier: hbm, domains: {{tables: 4, waiting: nvme, tokens: {}, swap: behind}}";
    const auto lasting = metrics_of(fmt::format(fmt::runtime(swap), 10000000));
    EXPECT_EQ(lasting.at("engram.swap_share"), 0);
    EXPECT_EQ(lasting.at("decode.tokens_per_s"), alone.at("decode.tokens_per_s"));
    EXPECT_NEAR(lasting.at("memory.engram_gb"), 2 * alone.at("memory.engram_gb"), 1e-9);
    const auto hasty = metrics_of(fmt::format(fmt::runtime(swap), 1000));  // a turn then takes as long as the copy
    EXPECT_NEAR(1000 / hasty.at("decode.tokens_per_s") * 1e3, hasty.at("engram.swap_ms"),
                1e-6 * hasty.at("engram.swap_ms"));
}

TEST_F(TableSwaps, what_a_user_pays_falls_with_how_long_a_domain_lasts) {
    double last = 0;
    for (const int tokens : {1000, 10000, 100000, 1000000, 10000000}) {
        const double speed = metrics_of(fmt::format("tier: hbm, domains: {{waiting: host, tokens: {}}}", tokens))
                                 .at("decode.tokens_per_s");
        EXPECT_GT(speed, last);
        last = speed;
    }
    EXPECT_LT(last, metrics_of("tier: hbm").at("decode.tokens_per_s"));
}

TEST_F(TableSwaps, tables_that_wait_where_they_are_used_take_room_and_no_time) {
    const auto alone = metrics_of("tier: host"), all = metrics_of("tier: host, domains: {tables: 8, waiting: host}");
    EXPECT_EQ(all.at("decode.tpot_ms"), alone.at("decode.tpot_ms"));
    EXPECT_NEAR(all.at("memory.host_gb"), 8 * alone.at("memory.host_gb"), 1e-6);
    EXPECT_FALSE(all.contains("engram.swap_ms"));
}

TEST_F(TableSwaps, refuse_what_cannot_be) {
    EXPECT_NE(refusal_of("tier: host, domains: {waiting: hbm}").find("host or a tier below it"), std::string::npos);
    EXPECT_NE(refusal_of("tier: hbm, domains: {waiting: cxl}").find("cxl is null"), std::string::npos);
    EXPECT_NE(refusal_of("tier: hbm, domains: {tables: 4, waiting: hbm, tokens: 0}").find("at least 1"),
              std::string::npos);
    EXPECT_NE(refusal_of("tier: host, domains: {tables: 100000, waiting: host}").find("host memory"),
              std::string::npos);
    EXPECT_NE(refusal_of("tier: hbm, domains: {waiting: nvme}",
                         "kind: serving, rate: 1, requests: 10, prompt: 100, output: 10")
                  .find("domains"),
              std::string::npos);
}

}  // namespace
}  // namespace strata
