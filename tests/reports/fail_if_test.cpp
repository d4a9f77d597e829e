// Rules of 'strata compare --fail-if': what they read, what they hold, and what they say of a slip of the pen.
#include "reports/gate/fail_if.hpp"

#include <gtest/gtest.h>

#include "hwmodels/input_error.hpp"

namespace strata {
namespace {

std::string fail_if_complaint(const std::string& text) {
    try {
        parse_fail_if(text);
    } catch (const InputError& error) {
        return error.what();
    }
    return "none";
}

TEST(FailIf, reads_metric_comparison_and_share) {
    const FailIf rule = parse_fail_if("decode.tokens_per_s < -2%");
    EXPECT_EQ(rule.metric, "decode.tokens_per_s");
    EXPECT_EQ(rule.comparison, "<");
    EXPECT_EQ(rule.bound, -2);
    EXPECT_TRUE(rule.percent);
    EXPECT_FALSE(rule.magnitude);
    EXPECT_EQ(parse_fail_if(" memory.hbm_gb>=+1.5 ").bound, 1.5);
    EXPECT_TRUE(parse_fail_if("|decode.*| > 1 %").magnitude);
}

// From 200: -1 % is 198, which is no more than that; -1.5 % is.
TEST(FailIf, a_share_is_one_of_the_old_value_and_keeps_its_sign) {
    const FailIf slower = parse_fail_if("x < -1%");
    EXPECT_FALSE(slower.fails(200, 198));
    EXPECT_TRUE(slower.fails(200, 197));
    EXPECT_FALSE(slower.fails(200, 220));
    EXPECT_TRUE(slower.fails(-100, -102));  // down, whatever the sign of the number itself
    EXPECT_TRUE(parse_fail_if("|x| > 1%").fails(200, 220));
}

TEST(FailIf, without_a_sign_it_is_in_the_metrics_unit) {
    const FailIf more = parse_fail_if("x > 1.5");
    EXPECT_FALSE(more.fails(1000, 1001.5));
    EXPECT_TRUE(more.fails(1000, 1002));
}

TEST(FailIf, from_nothing_to_something_is_beyond_any_share) {
    EXPECT_TRUE(parse_fail_if("x > 1000%").fails(0, 1e-6));
    EXPECT_FALSE(parse_fail_if("x > 1000%").fails(0, -1e-6));
    EXPECT_FALSE(parse_fail_if("|x| > 0%").fails(0, 0));
}

TEST(FailIf, says_where_it_stopped_reading_and_what_it_expected) {
    EXPECT_EQ(fail_if_complaint("decode.tpot_ms = 2"),
              "--fail-if 'decode.tpot_ms = 2', column 16: expected one of <, <=, > and >=, found '= 2'");
    EXPECT_EQ(fail_if_complaint("decode.tpot_ms > fast"),
              "--fail-if 'decode.tpot_ms > fast', column 18: expected a number such as -2% or 0.5, found 'fast'");
    EXPECT_EQ(fail_if_complaint("decode.tpot_ms > 2%%"),
              "--fail-if 'decode.tpot_ms > 2%%', column 20: expected nothing more, found '%'");
    EXPECT_NE(fail_if_complaint("").find("column 1: expected a metric such as decode.tokens_per_s"), std::string::npos);
    EXPECT_NE(fail_if_complaint("|x > 2").find("column 4: expected '|' after the metric"), std::string::npos)
        << fail_if_complaint("|x > 2");
    EXPECT_NE(fail_if_complaint("x > nan").find("expected a number"), std::string::npos);
}

}  // namespace
}  // namespace strata
