// The program that runs points of the window's studies through SystemC.
#pragma once

#include <string>

namespace strata {

inline const std::string kSimulator = STRATA_BINARY_DIR "/strata-simulate";

}  // namespace strata
