// Where the window keeps what is its own: points of studies, unsaved changes.
#pragma once

#include <QStandardPaths>

namespace strata {

inline QString data_folder() { return QStandardPaths::writableLocation(QStandardPaths::AppLocalDataLocation); }

}  // namespace strata
