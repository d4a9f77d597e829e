// A step whose exchanges are flows on a fabric.
#include <gtest/gtest.h>

#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/result/run.hpp"
#include "sim/workload/inputs.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

class FabricStep : public testing::Test {
protected:
    strata::Run run(const std::string& document) {
        const Scenario scenario = read_point(document, "s.yaml", kRoot + "/scenarios/models", inputs_.catalog());
        const Program program = inputs_.program_of(scenario);
        return summarise(scenario, inputs_.platform(scenario.platform).machine, program, run_analytic(program), "");
    }
    std::string refusal(const std::string& document) {
        try {
            (void)run(document);
        } catch (const InputError& error) {
            return error.what();
        }
        return "nothing";
    }
    static std::string on(const std::string& fabric, const std::string& exchange = "fabric",
                          const std::string& workload = "{kind: prefill, batch: 256, prompt: 4096}") {
        return "{model: v3, platform: {system: HGX_H800, nodes: 18" + fabric + "}, workload: " + workload +
               ", placement: {dp: 64, ep: 64}, kernels: {exchange: " + exchange + "}}";
    }
    Inputs inputs_{kRoot};
};

TEST_F(FabricStep, takes_the_same_time_for_each_byte_beyond_the_latency) {
    FabricCosts costs(read_fabric(inputs_.catalog().fabric_file("DeepSeek_H800_2048")));
    const TokenRoute route{.ranks = 64, .copies = 7.5, .domains = 5};
    const FabricTime one = costs.tokens(route, Bytes(1e6)), four = costs.tokens(route, Bytes(4e6));
    EXPECT_EQ(one.latency, four.latency);
    EXPECT_NEAR((four.time - four.latency) / (one.time - one.latency), 4, 1e-9);
    // A token goes to 5 of 8 domains, so 5/8 of these are not its own 7 times of 8: 4.375 copies leave a rank, at 40
    // GB/s.
    EXPECT_NEAR(one.sent.si(), 5e6 * 7 / 8, 1);
    EXPECT_GE((one.time - one.latency) / (Bytes(5e6 * 7 / 8) / 40.0_GBps), 1 - 1e-9);  // never below the wire's floor
}

TEST_F(FabricStep, of_normal_mode_is_near_what_was_measured_of_it) {
    const double measured = run(on("", "deepep")).metrics.at("network.scale_out_ms");
    const double flows = run(on(", fabric: DeepSeek_H800_2048")).metrics.at("network.scale_out_ms");
    EXPECT_NEAR(flows / measured, 1, 0.3);
}

TEST_F(FabricStep, is_no_slower_over_faster_links) {
    const std::string twice = ", fabric: {part: DeepSeek_H800_2048, scale_out: {bandwidth: 100 GB/s}}";
    const double now = run(on(", fabric: DeepSeek_H800_2048")).metrics.at("prefill.ttft_ms");
    EXPECT_LT(run(on(twice)).metrics.at("prefill.ttft_ms"), 0.95 * now);
}

TEST_F(FabricStep, sums_tensor_ranks_on_it_too) {
    const std::string document =
        "{model: v3, platform: {system: HGX_H200, fabric: DGX_H200}, workload: {kind: decode, batch: 64, context: "
        "4096}, "
        "placement: {tp: 8}, kernels: {exchange: ";
    const double flows = run(document + "fabric}}").metrics.at("network.scale_up_ms");
    EXPECT_GT(flows, 0);
    EXPECT_NE(flows, run(document + "deepep}}").metrics.at("network.scale_up_ms"));
}

TEST_F(FabricStep, refuses_what_is_not_there) {
    EXPECT_NE(refusal(on("")).find("fabric needs a platform.fabric"), std::string::npos);
    EXPECT_NE(refusal(on(", fabric: DGX_H200")).find("an endpoint for each of tp x cp x dp = 64"), std::string::npos);
    EXPECT_NE(refusal(on(", fabric: Nowhere")).find("Nowhere"), std::string::npos);
}

}  // namespace
}  // namespace strata
