// Of a scenario with a search: which point is best, why, and how far the engines agree on that?
#pragma once

#include "reports/document.hpp"
#include "sim/study/search_study.hpp"

namespace strata {

Section search_section(const SearchResult& search);

}  // namespace strata
