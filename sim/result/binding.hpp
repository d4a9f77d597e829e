// What binds a point, as it was found: what each resource of its platform would bring if it were better.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace strata {

// The gain of one resource, or of two at once.
struct Gain {
    std::string resource;
    std::vector<std::pair<std::string, std::string>> settings;  // path, value: what to set to see it again
    double gain = 0;         // of the metric's good side: 0.08 is 8 % more of a rate, or a time divided by 1.08
    double elasticity = 0;   // percent gained per percent of resource
    std::string obstacle{};  // why there is no gain to tell: the changed point does not run
};

struct Binding {
    std::string metric;
    double base = 0;  // the metric of the point as it is
    double by = 0;
    std::vector<Gain> gains;             // most helpful first
    std::vector<Gain> pairs{};           // the best of two at once, where no single one gains kFewGain
    std::vector<std::string> unknown{};  // resources that the catalogue has no number of

    bool nothing_to_gain() const;
};

constexpr double kNoGain = 0.0001;  // rounding

}  // namespace strata
