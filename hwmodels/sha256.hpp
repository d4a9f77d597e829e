// The fingerprint of a text: what results and cached answers are known by.
#pragma once

#include <string>

namespace strata {

std::string sha256(const std::string& bytes);  // as 64 hexadecimal digits

}  // namespace strata
