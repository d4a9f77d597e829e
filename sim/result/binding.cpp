#include "sim/result/binding.hpp"

#include <algorithm>

namespace strata {

bool Binding::nothing_to_gain() const {
    const auto gains_something = [](const Gain& gain) { return gain.gain > kNoGain; };
    return std::none_of(gains.begin(), gains.end(), gains_something) &&
           std::none_of(pairs.begin(), pairs.end(), gains_something);
}

}  // namespace strata
