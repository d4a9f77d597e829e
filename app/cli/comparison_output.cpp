#include "app/cli/comparison_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "reports/files.hpp"
#include "reports/gate/comparison_text.hpp"
#include "reports/gate/text_escapes.hpp"

namespace strata {

int write_comparison(const Comparison& comparison, const ComparisonOutput& output) {
    const std::string json = comparison_json(comparison).dump(1) + "\n";
    std::cout << (output.json_file == "-" ? json : comparison_text(comparison));
    if (!output.json_file.empty() && output.json_file != "-") write_whole(output.json_file, json);
    if (!output.markdown_file.empty()) write_whole(output.markdown_file, comparison_markdown(comparison, output.title));
    constexpr std::size_t kSaid = 20;
    const std::size_t said = std::min(kSaid, comparison.failures.size());
    for (std::size_t i = 0; i < said; ++i) {
        const std::string& failure = comparison.failures[i];
        std::cerr << (is_on_github() ? "::error::" + workflow_escaped(failure) : "fails: " + failure) << '\n';
    }
    if (said < comparison.failures.size())
        std::cerr << fmt::format("and {} more failures\n", comparison.failures.size() - said);
    return comparison.failures.empty() ? 0 : 1;
}

bool is_on_github() {
    const char* given = std::getenv("GITHUB_ACTIONS");
    return given && std::string(given) == "true";
}

}  // namespace strata
