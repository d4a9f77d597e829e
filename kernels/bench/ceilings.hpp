// What this very card does at best in this very run: the denominators of every share that is reported.
#pragma once

#include <map>
#include <string>

#include "kernels/bench/timing.hpp"

namespace strata {

// Gigabytes a second (a copy counts what it reads and what it writes) or TFLOP/s by name: "copy", "read",
// "pinned_to_device", "device_to_pinned", "zero_copy_read", "bf16", "fp8". One that cannot be measured has no entry and
// a reason in `missing`.
struct Ceilings {
    std::map<std::string, double> values{};
    std::map<std::string, std::string> missing{};
};

struct CeilingSizes {
    std::int64_t device_bytes = std::int64_t(2) << 30;
    std::int64_t host_bytes = std::int64_t(512) << 20;
    int gemm = 8192;
};

Ceilings measure_ceilings(Stage& stage, const CeilingSizes& sizes);

// Zero-copy reads of rows at random places in pinned host memory: GB/s by row size, 64 B to 4 KiB.
std::map<std::int64_t, double> measure_zero_copy_rows(Stage& stage, std::int64_t host_bytes);

}  // namespace strata
