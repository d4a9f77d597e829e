#include "app/cli/ci_verbs.hpp"
#include "app/cli/comparison_output.hpp"

namespace strata {

int compare_verb(const CompareArguments& arguments) {
    ComparisonRules rules{.fail_if = {}, .strict = arguments.strict};
    for (const std::string& text : arguments.fail_if) rules.fail_if.push_back(parse_fail_if(text));
    const Comparison comparison = compare(read_predictions(arguments.from), read_predictions(arguments.to), rules);
    return write_comparison(comparison, {.title = arguments.from + " against " + arguments.to,
                                         .json_file = arguments.json_file,
                                         .markdown_file = arguments.markdown_file});
}

}  // namespace strata
