// Which of its inputs makes a result uncertain: Sobol's indices, the shares of the result's variance. First order: what
// would go if the input were known; total: what would stay if all others were known, its interactions included.
//   first order  Saltelli et al., Comput. Phys. Commun. 181 (2010), table 2 (b): mean of f(B) (f(A_B^i) - f(A))
//   total        Jansen, Comput. Phys. Commun. 117 (1999), there (f):            mean of (f(A) - f(A_B^i))^2 / 2
// Samples are pseudo-random from a seed, not a Sobol sequence: the bootstrap's intervals then mean what they say.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace strata {

struct SobolIndex {
    double first = 0, first_low = 0, first_high = 0;  // with the interval that holds it with 95 %
    double total = 0, total_low = 0, total_high = 0;
};

struct SobolResult {
    std::vector<SobolIndex> inputs;
    double mean = 0, variance = 0;
    std::size_t evaluations = 0;
};

struct SobolOptions {
    std::size_t samples = 1024;  // the function is asked samples x (inputs + 2) times
    std::size_t bootstraps = 200;
    std::uint64_t seed = 1;
};

// `function` takes as many numbers as there are inputs, each independent and uniform in (0, 1): what they stand for
// is the caller's to say, by the inverse of its distribution.
SobolResult sobol_indices(const std::function<double(const std::vector<double>&)>& function, std::size_t inputs,
                          const SobolOptions& options);

// The inverse of the standard normal distribution.
double normal_quantile(double probability);

}  // namespace strata
