#pragma once

#include <QString>
#include <string>

namespace strata {

inline QString text(const std::string& given) { return QString::fromStdString(given); }

}  // namespace strata
