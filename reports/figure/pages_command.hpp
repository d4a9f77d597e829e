// strata-print pages TEXTFILE --out DIR: a text into pictures of its pages, and what each holds as lines of JSON.
#pragma once

#include <QStringList>

namespace strata {

extern const char* const kPagesUsage;

// `arguments`: those behind `pages`. Needs a QGuiApplication. Throws InputError for what the user can put right.
void print_pages(const QStringList& arguments);

}  // namespace strata
