// CUPTI's host side knows metrics and passes without a GPU.
#include "kernels/profiler/counters.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

class Counters : public ::testing::Test {
protected:
    void SetUp() override {
        try {
            cupti = std::make_unique<CuptiLibrary>();
        } catch (const CuptiError& missing) {
            GTEST_SKIP() << missing.what();
        }
    }
    std::unique_ptr<CuptiLibrary> cupti;
};

TEST_F(Counters, every_metric_exists_on_gh100_in_the_passes_we_say) {
    for (const MetricSet& set : metric_sets()) {
        const CounterPlan plan = plan_counters(*cupti, "GH100", set.metrics);
        EXPECT_EQ(plan.passes, set.passes) << set.name;
        EXPECT_FALSE(plan.image.empty());
    }
}

TEST_F(Counters, an_unknown_metric_or_chip_is_an_error) {
    EXPECT_THROW(plan_counters(*cupti, "GH100", {"dram__bytes_dreamt.sum"}), CuptiError);
    EXPECT_THROW(plan_counters(*cupti, "GX999", {"dram__bytes_read.sum"}), CuptiError);
}

// The link's counters and HBM's are in different sets because of this.
TEST_F(Counters, pcie_and_hbm_do_not_go_together) {
    EXPECT_THROW(plan_counters(*cupti, "GH100", {"dram__bytes_read.sum", "pcie__read_bytes.sum"}), CuptiError);
}

}  // namespace
}  // namespace strata
