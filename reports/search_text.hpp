// What a search found, in sentences made from its numbers.
#pragma once

#include <string>
#include <vector>

#include "sim/study/search_study.hpp"

namespace strata {

// "rho 0.65, tier host": every setting of a point, by the last part of its path.
std::string settings_text(const Settings& settings);

// One paragraph each: the recommended point, what it costs to choose otherwise, what kept others out, what binds, how
// far the engines agree, what the optimiser added, what the objectives do not see. What does not arise is left out.
std::vector<std::string> search_text(const SearchResult& search);

}  // namespace strata
