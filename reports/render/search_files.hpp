// A search as files: every point that was screened as CSV, the front and all that was found as JSON
// (schema "strata-search/1", without date and times, so that equal searches are equal bytes).
#pragma once

#include "reports/manifest.hpp"
#include "sim/study/search_study.hpp"

namespace strata {

std::string search_csv(const SearchResult& search);
std::string search_json(const SearchResult& search, const std::string& name, const Manifest& manifest);

}  // namespace strata
