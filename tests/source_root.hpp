// Where the project's own files lie: scenarios, catalogues, schemas.
#pragma once

#include <string>

namespace strata {

inline const std::string kRoot = STRATA_SOURCE_DIR;
inline const std::string kModels = kRoot + "/scenarios/models";
inline const std::string kParts = kRoot + "/hwmodels/catalog/";

}  // namespace strata
