// Assertions as CI shows them: JUnit XML, a Markdown table, and GitHub's annotations beside the line of the scenario.
#pragma once

#include <string>
#include <vector>

#include "reports/gate/checked_assertion.hpp"

namespace strata {

// A testcase for each assertion on each point; a point that does not fit is skipped, one that failed is an error.
std::string junit_xml(const std::vector<CheckedAssertion>& checked, const std::string& scenario,
                      const std::string& command);

std::string assertions_markdown(const std::vector<CheckedAssertion>& checked, const std::string& scenario);

// "::error file=s.yaml,line=4,col=14::...", a line for each assertion that does not hold.
std::string github_annotations(const std::vector<CheckedAssertion>& checked);

// "s.yaml:4:14" -> s.yaml, 4 and 14; nothing where there is no place.
struct LineOfFile {
    std::string file, line, column;
};
std::optional<LineOfFile> line_of_file(const std::string& place);

}  // namespace strata
