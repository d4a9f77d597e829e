#include "app/cli/study_table.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/reports/hand_made_study.hpp"

namespace strata {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

TEST(StudyTable, has_a_line_a_point_with_both_engines_within_120_columns) {
    ReportFixture fixture;
    fixture.study.results.back().reason = std::string(300, 'x');
    fixture.study.results[10].reason = fixture.study.results.back().reason;
    const auto lines = lines_of(study_table(fixture.study, fixture.law, "v4.1-flash"));
    ASSERT_EQ(lines.size(), 8u);  // which engine, heads, six points
    for (const std::string& line : lines) EXPECT_LE(line.size(), 120u) << line;
    EXPECT_NE(lines[4].find("20.000"), std::string::npos) << lines[4];  // rho 0.8 in HBM, analytic
    EXPECT_NE(lines[4].find("22.000"), std::string::npos) << lines[4];  // the same by SystemC
    EXPECT_NE(lines[7].find("infeasible: xxx"), std::string::npos) << lines[7];
}

TEST(Wrapped, breaks_between_words_and_keeps_line_breaks) {
    const std::string word(50, 'a');
    EXPECT_EQ(wrapped(word + " " + word + " " + word + "\nb"), word + " " + word + "\n" + word + "\nb\n");
}

}  // namespace
}  // namespace strata
