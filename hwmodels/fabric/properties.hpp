// What can be said of a fabric before anything is sent over it.
#pragma once

#include <optional>
#include <vector>

#include "hwmodels/fabric/fabric.hpp"

namespace strata {

struct Inventory {
    long switches = 0;
    long inter_switch_links = 0;  // cables, each lane by itself
    long endpoint_links = 0;      // from endpoints to switches, or to each other
};
Inventory inventory(const Fabric& fabric, LinkClass link_class);

// Links on the longest of the shortest routes between endpoints that the layer joins.
int diameter(const Fabric& fabric, LinkClass link_class);

// Bandwidth from one set of endpoints to the rest over all links of the classes given: a minimum cut, as maximum flow
// (Boost's push-relabel).
Bandwidth cut(const Fabric& fabric, const std::vector<int>& endpoints, const std::vector<LinkClass>& over);
// The cut between the first half of the endpoints and the second. Shapes number their endpoints so that this parts
// groups, pods and the last side of a grid; the least of all halvings cannot be found in reasonable time.
Bandwidth bisection(const Fabric& fabric, const std::vector<LinkClass>& over);

// Prices and powers of a catalogue; null: nobody has published it.
struct FabricPrices {
    Sourced<double> switch_usd, inter_switch_link_usd, endpoint_link_usd;
    Sourced<double> switch_w, inter_switch_link_w, endpoint_link_w;
    auto operator<=>(const FabricPrices&) const = default;
};
struct FabricBill {
    std::optional<double> usd, usd_per_endpoint, power_w;  // none where a price that it needs is null
};
// Endpoint links are free where they have no price: published comparisons count switches and the links between them.
FabricBill bill(const Inventory& inventory, long endpoints, const FabricPrices& prices);

}  // namespace strata
