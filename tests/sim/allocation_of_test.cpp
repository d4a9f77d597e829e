// A scenario's own losses as its law.
#include "sim/study/allocation_of.hpp"

#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

constexpr const char* kOwnPoints =
    "budget,rho,loss\n"
    "small,0.4,2.0\nsmall,0.6,1.8\nsmall,0.8,1.9\nsmall,1,2.3\n"
    "large,0.4,1.5\nlarge,0.7,1.4\nlarge,1,1.6\n";

class OwnPoints : public ::testing::Test {
protected:
    ScenarioFile scenario(const std::string& quality) {
        folder_.write("points.csv", kOwnPoints);
        return {folder_.write("s.yaml",
                              "{model: v4.1-flash, platform: {system: HGX_H200}, workload: {kind: decode, batch: 8, "
                              "context: 512}, quality: " +
                                  quality + "}"),
                kRoot + "/scenarios/models"};
    }
    ScratchFolder folder_;
};

TEST_F(OwnPoints, are_the_law_of_every_model) {
    const AllocationLaw law = allocation_law_of(scenario("{allocation: points.csv, budget: small}"), kRoot);
    EXPECT_FALSE(law.is_published());
    const LossEstimate lowest = law.loss(0.6, "v3").value();
    EXPECT_NEAR(lowest.loss, 1.8, 1e-9);  // the points are convex, so the fit goes through them
    EXPECT_EQ(lowest.origin, Origin::measured);
    EXPECT_EQ(law.loss(0.7, "v3")->origin, Origin::interpolated);
    EXPECT_FALSE(law.loss(0.3, "v3"));
    EXPECT_EQ(law.optimum_from(), 0.4);
    EXPECT_EQ(law.optimum_to(), 0.8);
    for (double rho = 0.42; rho < 0.98; rho += 0.01)
        EXPECT_LE(law.loss(rho, "v3")->loss,
                  (law.loss(rho - 0.01, "v3")->loss + law.loss(rho + 0.01, "v3")->loss) / 2 + 1e-9)
            << rho;
}

TEST_F(OwnPoints, of_several_budgets_need_one_to_be_named) {
    try {
        allocation_law_of(scenario("{allocation: points.csv}"), kRoot);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("small, large"), std::string::npos) << error.what();
    }
    EXPECT_THROW(allocation_law_of(scenario("{allocation: points.csv, budget: medium}"), kRoot), InputError);
    EXPECT_THROW(allocation_law_of(scenario("{allocation: none.csv}"), kRoot), InputError);
    EXPECT_THROW(allocation_law_of(scenario("{budget: small}"), kRoot), InputError);
}

TEST_F(OwnPoints, are_absent_in_most_scenarios) {
    EXPECT_TRUE(allocation_law_of(scenario("{}"), kRoot).is_published());
    EXPECT_EQ(allocation_fits_of(scenario("{}"), kRoot).size(), 2u);  // budgets of the small models trained here
    EXPECT_EQ(allocation_fits_of(scenario("{allocation: points.csv}"), kRoot).back().budget(), "large");
}

}  // namespace
}  // namespace strata
