// Runs strata-kernels, the bench of the CUDA kernels, which is a program of its own: it can be carried to any machine.
#pragma once

#include <string>
#include <vector>

namespace strata {

struct KernelMeasuring {
    std::vector<std::string> filters;  // none: every kernel
    std::string out_file;              // none: nothing is kept
    double minutes = 8;
};

// Returns what the bench returned: 0 fine, 1 a kernel failed or was refused, 77 no CUDA device. Throws InputError where
// the program is not beside this one, as where nvcc was not found when it was built.
int measure_kernels(const KernelMeasuring& asked);

}  // namespace strata
