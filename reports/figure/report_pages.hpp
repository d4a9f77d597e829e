// A Document as a PDF of A4 pages: title and answer first, contents with page numbers, a header and a footer on each
// page, charts as vectors, table heads repeated where a table goes over a page.
#pragma once

#include <string>

#include "reports/document.hpp"

namespace strata {

// Needs a QApplication. Written beside `file`, then renamed. Throws InputError if it cannot be written.
void save_pages(const Document& document, const std::string& file);

}  // namespace strata
