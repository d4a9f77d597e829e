// The resources of a platform that can be made better, each as the fields of a scenario that say how good it is.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hwmodels/platform_spec.hpp"

namespace strata {

using PathValues = std::vector<std::pair<std::string, std::string>>;

struct PlatformResource {
    std::string name;        // "HBM bandwidth"
    PathValues better;       // its fields, better by the share asked for
    bool known = true;       // false: a number of it is null
    bool of_device = false;  // its fields say what device this is: on another one nothing was measured
};

// Rates and sizes times 1 + `by`, times divided by it. Parts that the platform does not have are left out.
std::vector<PlatformResource> improvable_resources(const PlatformSpec& platform, double by);

// The same platform, numbers and all, as a device that nothing was measured on.
PathValues as_another_device(const PlatformSpec& platform);

}  // namespace strata
