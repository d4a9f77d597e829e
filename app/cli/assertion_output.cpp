#include "app/cli/assertion_output.hpp"

#include <iostream>

#include "app/cli/comparison_output.hpp"
#include "reports/files.hpp"
#include "reports/gate/assertion_files.hpp"

namespace strata {

void write_assertions(const RunArguments& arguments, const std::string& scenario,
                      const std::vector<Assertion>& assertions, const std::vector<PointResult>& results) {
    if (arguments.junit_file.empty() && arguments.markdown_file.empty() && !is_on_github()) return;
    const std::vector<CheckedAssertion> checked =
        checked_assertions(assertions, results, assertion_places(arguments.scenario));
    if (!arguments.junit_file.empty())
        write_whole(arguments.junit_file, junit_xml(checked, scenario, arguments.command));
    if (!arguments.markdown_file.empty()) write_whole(arguments.markdown_file, assertions_markdown(checked, scenario));
    if (is_on_github()) std::cerr << github_annotations(checked);
}

}  // namespace strata
