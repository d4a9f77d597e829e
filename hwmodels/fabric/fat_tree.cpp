#include <fmt/format.h>

#include "hwmodels/fabric/shapes.hpp"

namespace strata {

namespace {

int ceil_div(int a, int b) { return (a + b - 1) / b; }

// Wires the `up` ports of each lower switch to the upper ones in turn, so that all uppers have as many links (give or
// take one); ports between the same two become lanes of one link.
void wire_up(Fabric& fabric, std::span<const int> lower, int up, std::span<const int> upper, const Wire& lane,
             int plane) {
    const int n = static_cast<int>(upper.size());
    for (std::size_t i = 0; i < lower.size(); ++i)
        for (int k = 0; k < std::min(n, up); ++k) {
            const int first = (static_cast<int>(i) * up + k) % n;
            fabric.connect(lower[i], upper[static_cast<std::size_t>(first)], lane, plane, (up - k + n - 1) / n);
        }
}

std::vector<int> switches(Fabric& fabric, const Wire& lane, int count, int level, int plane) {
    std::vector<int> all;
    for (int i = 0; i < count; ++i) all.push_back(fabric.add_switch(lane.link_class, level, plane));
    return all;
}

void require(bool ok, const char* expected, const std::string& found) {
    if (!ok) throw InputError("fat tree", expected, found);
}

}  // namespace

void join(Fabric& fabric, std::span<const int> endpoints, const FatTree& shape, const Wire& lane, int plane) {
    const int count = static_cast<int>(endpoints.size());
    require(shape.levels >= 1 && shape.levels <= 3, "1 to 3 levels", fmt::format("{}", shape.levels));
    require(shape.planes >= 1 && shape.lanes >= 1 && shape.radix >= 2, "planes, lanes and a radix of 2 or more",
            fmt::format("{} planes, {} lanes, radix {}", shape.planes, shape.lanes, shape.radix));
    const int half = shape.levels == 1 ? shape.radix : shape.radix / 2;
    const int down = shape.leaf_endpoints ? shape.leaf_endpoints : half / shape.lanes;
    const int up = shape.levels == 1 ? 0 : shape.uplinks ? shape.uplinks : half;
    const int spine_radix = shape.spine_radix ? shape.spine_radix : shape.radix;
    const int leaves_count = down > 0 ? ceil_div(count, down) : 0;
    require(down > 0 && down * shape.lanes + up <= shape.radix, "ports of a leaf within its radix",
            fmt::format("{} x {} down and {} up of {}", down, shape.lanes, up, shape.radix));
    require(shape.levels > 1 || leaves_count == 1, "as many endpoints as one switch has ports",
            fmt::format("{} endpoints at {} to a switch", count, down));
    require(shape.levels != 2 || leaves_count <= spine_radix, "no more leaves than a spine has ports",
            fmt::format("{} leaves, {} ports", leaves_count, spine_radix));
    const int pod = shape.radix / 2, pods = ceil_div(leaves_count, pod);  // of three levels: leaves in a pod, pods
    require(shape.levels != 3 || pods <= spine_radix, "no more pods than a core switch has ports",
            fmt::format("{} pods, {} ports", pods, spine_radix));
    for (int p = plane; p < plane + shape.planes; ++p) {
        const std::vector<int> leaves = switches(fabric, lane, leaves_count, 1, p);
        for (int e = 0; e < count; ++e)
            fabric.connect(endpoints[static_cast<std::size_t>(e)], leaves[static_cast<std::size_t>(e / down)], lane, p,
                           shape.lanes);
        if (shape.levels == 2 && leaves_count > 1)
            wire_up(fabric, leaves, up, switches(fabric, lane, ceil_div(leaves_count * up, spine_radix), 2, p), lane,
                    p);
        if (shape.levels != 3) continue;
        // A pod has one aggregation switch for each uplink of a leaf; those of the same number share their core
        // switches.
        std::vector<std::vector<int>> alike(static_cast<std::size_t>(up));
        for (int first = 0; first < leaves_count; first += pod) {
            const std::vector<int> aggregation = switches(fabric, lane, up, 2, p);
            const auto of_pod = std::span(leaves).subspan(
                static_cast<std::size_t>(first), static_cast<std::size_t>(std::min(pod, leaves_count - first)));
            wire_up(fabric, of_pod, up, aggregation, lane, p);
            for (std::size_t k = 0; k < alike.size(); ++k) alike[k].push_back(aggregation[k]);
        }
        if (pods == 1) continue;
        const int agg_up = shape.radix - pod;
        for (const std::vector<int>& aggregation : alike)
            wire_up(fabric, aggregation, agg_up, switches(fabric, lane, ceil_div(pods * agg_up, spine_radix), 3, p),
                    lane, p);
    }
}

}  // namespace strata
