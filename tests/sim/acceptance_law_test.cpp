#include "sim/quality/acceptance_law.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "hwmodels/input_error.hpp"
#include "tests/scratch_folder.hpp"

namespace strata {
namespace {

const AcceptanceLaw& acceptance_law() {
    static const AcceptanceLaw shipped(std::string(STRATA_SOURCE_DIR) + "/sim/quality/acceptance_anchors.yaml");
    return shipped;
}

TEST(AcceptanceLaw, sums_the_geometric_series) {
    // (1 - 0.5^4) / (1 - 0.5) = 1.875; one draft accepted 85 % of the time gives 1.85 tokens, all accepted k + 1.
    EXPECT_DOUBLE_EQ(tokens_per_step(0.5, 3), 1.875);
    EXPECT_DOUBLE_EQ(tokens_per_step(0.85, 1), 1.85);
    EXPECT_DOUBLE_EQ(tokens_per_step(1, 7), 8);
    EXPECT_DOUBLE_EQ(tokens_per_step(0, 7), 1);
    EXPECT_DOUBLE_EQ(tokens_per_step(0.9, 0), 1);
}

TEST(AcceptanceLaw, takes_a_list_of_positions_each_given_those_before) {
    // 1 + 0.9 + 0.9 x 0.5 + 0.9 x 0.5 x 0.2
    const std::vector<double> falling{0.9, 0.5, 0.2}, even(4, 0.7);
    EXPECT_NEAR(tokens_per_step(falling), 1 + 0.9 + 0.45 + 0.09, 1e-12);
    EXPECT_DOUBLE_EQ(tokens_per_step(even), tokens_per_step(0.7, 4));
}

TEST(AcceptanceLaw, finds_the_acceptance_that_gives_so_many_tokens) {
    for (const double acceptance : {0.0, 0.3, 0.85, 1.0})
        EXPECT_NEAR(acceptance_of(tokens_per_step(acceptance, 5), 5), acceptance, 1e-9);
    EXPECT_THROW(acceptance_of(2.5, 1), InputError);
    EXPECT_THROW(acceptance_of(0.5, 1), InputError);
}

TEST(AcceptanceLaw, refuses_what_is_no_probability) {
    EXPECT_THROW(tokens_per_step(1.2, 1), InputError);
    EXPECT_THROW(tokens_per_step(std::nan(""), 1), InputError);
    EXPECT_THROW(tokens_per_step(std::vector<double>{0.5, -0.1}), InputError);
}

TEST(AcceptanceLaw, is_published_with_as_many_drafts_and_modelled_with_more) {
    const auto one = acceptance_law().tokens_of("v3", 1);
    ASSERT_FALSE(one.empty());
    EXPECT_NEAR(one.front().low, 1.85, 1e-9);
    EXPECT_NEAR(one.front().high, 1.90, 1e-9);
    EXPECT_EQ(one.front().origin, Origin::published);
    const auto three = acceptance_law().tokens_of("v3", 3);
    EXPECT_NEAR(three.front().high, 1 + 0.9 + 0.81 + 0.729, 1e-9);
    EXPECT_EQ(three.front().origin, Origin::modelled);
    EXPECT_TRUE(three.front().outside);
    EXPECT_TRUE(acceptance_law().tokens_of("dense-4b", 1).empty());
}

TEST(AcceptanceLaw, says_where_its_file_is_wrong) {
    const ScratchFolder folder;
    const std::string file = folder.write("a.yaml",
                                          "published:\n  - {model: m, drafter: d, drafts: 1, source: s, "
                                          "tokens_per_step: {from: 1.5, to: 2.5}}\n");
    try {
        AcceptanceLaw wrong(file);
        FAIL() << "accepted";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("a.yaml:2"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("within 1 to 2"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace strata
