// A row of an Engram table: 256 codes in E4M3 and a UE8M0 scale for each 32 of them (DeepSeek-V4.1-Flash, facts
// v4.md 1.7). That is 264 bytes, which no 16-byte access divides: rows lie 272 bytes apart and the last 8 are nobody's.
// A row is read as 17 accesses of 16 bytes. Wherever it begins it crosses three lines of 128 bytes, as one of any
// stride must that is not a multiple of 128, so over the bus it is three requests.
#pragma once

namespace strata {

inline constexpr int kEngramRowWidth = 256;
inline constexpr int kEngramRowScales = 8;
inline constexpr int kEngramRowBytes = 264;
inline constexpr int kEngramRowStride = 272;
inline constexpr int kEngramRowParts = kEngramRowStride / 16;
inline constexpr int kEngramRowsPerToken = 24;  // 3 orders x 8 heads

}  // namespace strata
