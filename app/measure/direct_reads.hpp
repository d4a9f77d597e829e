// How many random reads a drive answers, and how fast, with `depth` of them in flight at any time.
#pragma once

#include <array>
#include <string>

#include "app/measure/scratch_file.hpp"
#include "app/measure/timing.hpp"

namespace strata {

constexpr std::array<int, 7> kDepths{1, 2, 4, 8, 16, 32, 64};
constexpr std::array<int, 2> kBlockBytes{4096,
                                         131072};  // what drives are rated by, and large enough for full bandwidth

// Empty, or why the kernel gives no io_uring (containers often refuse it).
std::string io_uring_obstacle();

// By one io_uring, or by `depth` threads that call pread.
Measurement direct_reads(const ScratchFile& file, int block_bytes, int depth, bool by_io_uring, const Effort& effort);

}  // namespace strata
