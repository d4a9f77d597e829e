// Requests made up from distributions: Poisson arrivals, lengths fixed, uniform or log-normal, shared prefixes.
#pragma once

#include <variant>
#include <vector>

#include "sim/serving/request.hpp"

namespace strata {

struct FixedLength {
    int tokens = 1;
};
struct UniformLength {
    int least = 1, most = 1;  // both may occur
};
// Half of all lengths lie below `median`; `sigma` is the standard deviation of the length's natural logarithm. What
// would be longer than `most` is cut there, as a server cuts at its limit.
struct LogNormalLength {
    double median = 1, sigma = 1;
    int most = 1;
};
using Length = std::variant<FixedLength, UniformLength, LogNormalLength>;

struct ArrivalSpec {
    int requests = 0;
    double per_second = 0;  // mean rate of the Poisson process; 0: all at once, at time zero
    Length input, output;
    // Of all requests, `prefix_share` begin with one of `prefixes` texts of `prefix_tokens` tokens, each as likely.
    int prefixes = 0;
    int prefix_tokens = 0;
    double prefix_share = 1;
    std::uint64_t seed = 0;
};

// In order of arrival. Throws InputError that names the field.
std::vector<Request> synthetic_requests(const ArrivalSpec& spec);

}  // namespace strata
