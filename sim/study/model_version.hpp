// Which model a program holds. Made by model_version.cmake at build time.
#pragma once

namespace strata {

const char* model_version();  // 64 hexadecimal digits

}  // namespace strata
