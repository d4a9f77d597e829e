// The second phase of a search: what the screening found best, run again by the engines of the search.
#pragma once

#include "sim/study/search_study.hpp"

namespace strata {

// Fills `refined`, `study`, `recommended`, `other_end` and `swapped` of a search whose front is known and not empty.
void refine(SearchResult& search, const ScenarioFile& file, const StudyOptions& options);

// So many of `count` places, the first and the last among them, evenly.
std::vector<std::size_t> thinned(std::size_t count, std::size_t at_most);

}  // namespace strata
