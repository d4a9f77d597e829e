// Flows that share links fairly: max-min rates by progressive filling (Bertsekas and Gallager, Data Networks, section
// 6.5.2), found anew whenever a flow ends, until all have ended. A flow may be spread over several routes: `share` of
// its bytes cross each link.
#pragma once

#include <vector>

#include "hwmodels/fabric/router.hpp"

namespace strata {

struct Flow {
    Bytes bytes{};
    std::vector<LinkShare> shares{};  // a link at most once; none: nothing is sent over a wire
    Seconds latency{};                // after its last byte has left until that byte is there
};

// Symmetric flows are folded into one by default: those that no renaming of flows and links could tell apart have the
// same rates at all times. `none` plays each by itself, for tests.
enum class Folding : unsigned char { symmetric, none };

struct FlowTimes {
    Seconds time{};                // when the last flow has arrived
    std::vector<Seconds> arrival;  // of each flow
    std::vector<Bytes> carried;    // by each link, as summed up over the events
    int bottleneck = -1;           // the link that was busy longest
    double most_used = 0;          // highest rate on a link for its capacity
    int events = 0;                // times at which rates were found
};

// `capacity` of each link. Throws std::logic_error for a share of a link that is not there.
FlowTimes flow_times(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows,
                     Folding folding = Folding::symmetric);

// The rates while all flows are there.
std::vector<Bandwidth> fair_rates(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows);

std::vector<Bandwidth> capacities(const Fabric& fabric);

}  // namespace strata
