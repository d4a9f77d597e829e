// A search makes only the metrics that it asks for; each must be what a whole run says.
#include <gtest/gtest.h>

#include "sim/study/point_runner.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

TEST(RunParts, have_every_metric_that_is_asked_for) {
    PointRunner runner(kRoot);
    for (const char* text :
         {"{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 512, context: 8192}, "
          "placement: {dp: 8, ep: 8, engram: {tier: nvme, fetch: synchronous}}}",
          "{model: v4-flash, platform: {system: HGX_H200}, workload: {kind: prefill, batch: 8, prompt: 4096}, "
          "placement: {dp: 8, ep: 8}}"}) {
        const Scenario scenario = read_point(text, "test", kModels, runner.catalog());
        const strata::Run whole = runner.run(scenario);
        EXPECT_GT(whole.metrics.size(), 30u);
        for (const auto& [metric, value] : whole.metrics) {
            const strata::Run part = runner.run(scenario, RunParts::of({metric}));
            ASSERT_TRUE(part.metrics.contains(metric)) << metric;
            EXPECT_EQ(part.metrics.at(metric), value) << metric;
        }
    }
}

}  // namespace
}  // namespace strata
