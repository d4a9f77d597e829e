// What 'strata run' writes of its assertions for CI, also when they fail.
#pragma once

#include <string>
#include <vector>

#include "app/cli/verbs.hpp"
#include "sim/study/study.hpp"

namespace strata {

// --junit, --markdown, and annotations on stderr where this is a job of GitHub Actions.
void write_assertions(const RunArguments& arguments, const std::string& scenario,
                      const std::vector<Assertion>& assertions, const std::vector<PointResult>& results);

}  // namespace strata
