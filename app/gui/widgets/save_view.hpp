// A page as a file, by the file's ending: a picture of what is on screen (.png, twice the pixels; .pdf and .svg, whose
// lines and text stay lines and text), or its numbers (.csv).
#pragma once

#include <QString>

class QImage;
class QWidget;

namespace strata {

// Throws InputError for an unknown ending and for a file that cannot be written; then what was there is still there.
void save_view(QWidget& view, const QString& file);
QImage picture_of(QWidget& view);

// Every table, chart and bar that can be seen, one after the other, each below a line with its name.
QString numbers_of(const QWidget& view);

}  // namespace strata
