// What a user asks of a server: a prompt of so many tokens at some time, and so many tokens in answer.
#pragma once

#include <cstdint>

#include "hwmodels/units.hpp"

namespace strata {

constexpr std::int64_t kNoPrefix = -1;

struct Request {
    Seconds arrival;
    int input_tokens = 1;
    int output_tokens = 1;            // the first comes from the prefill, the others from decode steps
    std::int64_t prefix = kNoPrefix;  // requests of one prefix begin with the same tokens ...
    int prefix_tokens = 0;            // ... so many of the input
};

}  // namespace strata
