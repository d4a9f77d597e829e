// Assertions as CI sees them: what a testcase says, and that no name breaks out of its place.
#include "reports/gate/assertion_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "reports/gate/text_escapes.hpp"
#include "tests/reports/hand_made_study.hpp"

namespace strata {
namespace {

const Assertion kAtMost20{"decode.tpot_ms", "<=", 20, "decode.tpot_ms <= 20"};

std::vector<CheckedAssertion> checked() {
    return checked_assertions({kAtMost20}, hand_made_study().results, {{"decode.tpot_ms <= 20", "s.yaml:6:14"}});
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// TPOT 10 of 20: half of the limit is left; 25 is a quarter beyond it.
TEST(CheckedAssertion, tells_how_much_is_left_on_either_side) {
    const auto all = checked();
    EXPECT_TRUE(all[0].holds());
    EXPECT_EQ(all[0].margin(), 10);
    EXPECT_EQ(all[0].relative_margin(), 0.5);
    EXPECT_EQ(all[8].measured, 25);
    EXPECT_EQ(all[8].margin(), -5);
    EXPECT_EQ(all[0].shares, "interpolated 75 %, assumed 25 %");
    EXPECT_FALSE(all.back().holds());
    EXPECT_FALSE(all.back().margin());
    const Assertion at_least{"decode.tpot_ms", ">=", 4, "decode.tpot_ms >= 4"};
    EXPECT_EQ(checked_assertions({at_least}, hand_made_study().results)[0].margin(), 6);
    const Assertion unknown{"prefill.ttft_ms", ">=", 4, "prefill.ttft_ms >= 4"};
    EXPECT_THROW(checked_assertions({unknown}, hand_made_study().results), InputError);
}

// Twelve results: 10, 11, 20, 21, 25 by one engine, a tenth more by the other, and two that do not fit. Above 20:
// 21, 25 and 22, 23.1, 27.5.
TEST(AssertionFiles, junit_counts_what_fails_and_what_is_skipped) {
    const std::string xml = junit_xml(checked(), "hand-made", "strata run s.yaml");
    EXPECT_TRUE(holds(xml, R"(<testsuite name="hand-made" tests="12" failures="5" errors="0" skipped="2">)")) << xml;
    EXPECT_TRUE(holds(xml, R"(name="decode.tpot_ms &lt;= 20 [model.rho=0.4, placement.engram.tier=hbm, analytic]")"));
    EXPECT_TRUE(holds(xml, R"(file="s.yaml" line="6")"));
    EXPECT_TRUE(holds(xml, R"(<property name="measured" value="10"/>)"));
    EXPECT_TRUE(holds(xml, R"(<property name="limit" value="&lt;= 20"/>)"));
    EXPECT_TRUE(holds(xml, R"(<property name="margin" value="10"/>)"));
    EXPECT_TRUE(holds(xml, R"(<property name="provenance" value="interpolated 75 %, assumed 25 %"/>)"));
    EXPECT_TRUE(holds(xml, R"xml(<failure message="is 25, 5 beyond the limit (25.0 %)" type="assertion">)xml")) << xml;
    EXPECT_TRUE(holds(xml, R"(<skipped message="needs 3 GB, &quot;has&quot; 2"/>)"));
}

TEST(AssertionFiles, annotations_point_to_the_line_and_leave_out_what_does_not_fit) {
    const std::string text = github_annotations(checked());
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
    EXPECT_EQ(text.rfind("::error file=s.yaml,line=6,col=14::decode.tpot_ms <= 20 fails [model.rho=0.", 0), 0u) << text;
    const auto without_place = checked_assertions({kAtMost20}, hand_made_study().results);
    EXPECT_TRUE(holds(github_annotations(without_place), "::error::decode."));
}

TEST(AssertionFiles, markdown_has_a_row_each_and_says_what_fails) {
    const std::string page = assertions_markdown(checked(), "hand|made");
    EXPECT_TRUE(holds(page, "### hand\\|made: 5 of 12 assertions hold")) << page;
    EXPECT_EQ(std::count(page.begin(), page.end(), '\n'), 4 + 12);
    EXPECT_TRUE(holds(page, "| ok | `decode.tpot_ms <= 20` |"));
    EXPECT_TRUE(holds(page, "| +50.0 % | interpolated 75 %, assumed 25 % |"));
    EXPECT_TRUE(holds(page, "| **FAILS** |"));
    EXPECT_TRUE(holds(page, "| infeasible |"));
}

TEST(TextEscapes, no_text_breaks_out_of_its_place) {
    EXPECT_EQ(xml_escaped("<a b=\"c\">&\x01\n"), "&lt;a b=&quot;c&quot;&gt;&amp;?&#10;");
    EXPECT_EQ(markdown_escaped("a|b\nc_d"), "a\\|b c\\_d");
    EXPECT_EQ(workflow_escaped("50 %\n::error::x"), "50 %25%0A::error::x");
    EXPECT_EQ(workflow_property_escaped("a:b,c"), "a%3Ab%2Cc");
}

}  // namespace
}  // namespace strata
