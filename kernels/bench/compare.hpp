// How close a kernel's outputs are to the reference's.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/bench/kernel.hpp"

namespace strata {

// 1 - 2 sum(xy) / sum(x^2 + y^2) in double (the measure of DeepGEMM and TileKernels); 0 for two vectors of zeros. A NaN
// or an infinity in one of them gives infinity.
double calc_diff(const std::vector<double>& is, const std::vector<double>& should);

// Largest |is - should| / (absolute + relative |should|): at most 1 is a pass.
Verdict close_to(const std::vector<double>& is, const std::vector<double>& should, double absolute, double relative);

// Passes where 1 - cos-like difference is at most `tolerance`.
Verdict alike(const std::vector<double>& is, const std::vector<double>& should, double tolerance);

// How many elements differ in their bits: none is a pass.
template <class T>
Verdict same_bits(const std::vector<T>& is, const std::vector<T>& should) {
    Verdict verdict{.pass = is.size() == should.size(), .metric = "wrong elements"};
    for (std::size_t i = 0; i < is.size() && i < should.size(); ++i)
        if (std::memcmp(&is[i], &should[i], sizeof(T)) != 0 && verdict.value++ == 0)
            verdict.detail = "first at " + std::to_string(i) + " of " + std::to_string(is.size());
    verdict.pass = verdict.pass && verdict.value == 0;
    return verdict;
}

// The first that fails, or the last one.
Verdict all_of(const std::vector<Verdict>& verdicts);

// Rows worth comparing where a double-precision reference of all would take minutes: the first, the last, and others
// drawn from the seed; ascending, each once.
std::vector<std::int64_t> rows_to_compare(std::int64_t rows, std::int64_t at_most, std::uint64_t seed);

}  // namespace strata
