// Where a comparison goes: stdout, JSON, Markdown, and GitHub's annotations where it runs there.
#pragma once

#include <string>

#include "reports/gate/comparison.hpp"

namespace strata {

struct ComparisonOutput {
    std::string title, json_file, markdown_file;
};

// The exit code: 1 where something failed, which is then said on stderr.
int write_comparison(const Comparison& comparison, const ComparisonOutput& output);

// Whether this is a job of GitHub Actions, which reads annotations from what a job says.
bool is_on_github();

}  // namespace strata
