// Colours, fonts and icons of the window: from the system's palette, light or dark, and the same palette of series as
// printed figures.
#pragma once

#include <QColor>
#include <QIcon>
#include <QPalette>
#include <string>

class QLabel;

namespace strata {

bool is_dark(const QPalette& palette);
QColor mixed(const QColor& a, const QColor& b, double share);  // share: of b
QColor muted(const QPalette& palette);                         // of captions
QColor hairline(const QPalette& palette);
QColor card(const QPalette& palette);  // ground of what stands on the window
QColor good(const QPalette& palette);
QColor bad(const QPalette& palette);
QColor series_colour(int index);
QColor busy_colour(double share, const QPalette& palette);  // of a link or a lane: 0 idle, 1 all it can
QColor component_colour(const std::string& name);           // the same wherever a component is shown
QColor provenance_colour(const std::string& name);          // measured ... assumed: from certain to guessed
QLabel* heading(const QString& text);                       // above a part of a page
QLabel* caption(const QString& text);                       // what a page says of itself, in the colour of captions
QIcon page_icon(const std::string& name, const QPalette& palette);

QPalette dark_palette();
QPalette light_palette();

}  // namespace strata
