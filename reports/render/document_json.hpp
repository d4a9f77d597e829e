// A whole report as JSON, schema "strata-report/1" (strata schema report): for other programs, and for strata-print.
#pragma once

#include <string>

#include "reports/document.hpp"

namespace strata {

std::string document_json(const Document& document);

// Throws InputError that says what is missing or malformed.
Document document_from_json(const std::string& text, const std::string& name_of_the_file);

}  // namespace strata
