#pragma once

namespace strata {

__extension__ typedef unsigned __int128 Uint128;  // GCC, Clang and nvcc have it; ISO C++ has not

}  // namespace strata
