// Bytes of an element in the two formats that no precision choice changes: activations in BF16, sums in FP32.
#pragma once

namespace strata {

inline constexpr double kBf16 = 2, kFp32 = 4;

}  // namespace strata
