// The fingerprint of a text: what results and cached answers are known by.
#pragma once

#include <array>
#include <string>

namespace strata {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256_bytes(const std::string& bytes);
std::string sha256(const std::string& bytes);  // as 64 hexadecimal digits

}  // namespace strata
