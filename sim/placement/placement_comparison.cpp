#include "sim/placement/placement_comparison.hpp"

#include "sim/placement/eplb.hpp"
#include "sim/placement/partitioned_placement.hpp"

namespace strata {

std::vector<PlacedExperts> compare_placements(const TokenSample& learned, const TokenSample& judged,
                                              const ComparisonSpec& spec) {
    const CoActivationGraph graph = co_activation(learned, spec.experts);
    const int ranks = spec.fabric.ranks();
    std::vector<double> loads;
    for (int expert = 0; expert < spec.experts; ++expert) loads.push_back(graph[std::size_t(expert)].tokens);
    std::vector<PlacedExperts> placed;
    const auto add = [&](std::string_view name, const ExpertPlacement& placement) {
        placed.push_back({name, placement, score(placement, judged, spec.fabric, spec.cost, spec.choice)});
    };
    add("linear", linear_placement(spec.experts, spec.redundant, ranks));
    add("random", random_placement(spec.experts, spec.redundant, ranks, spec.seed));
    add("eplb",
        eplb_placement(
            loads, {.redundant = spec.redundant, .groups = spec.groups, .nodes = spec.fabric.nodes, .ranks = ranks}));
    add("partition",
        partitioned_placement(graph, spec.fabric,
                              {.redundant = spec.redundant, .tolerance = spec.tolerance, .seed = spec.seed}));
    return placed;
}

}  // namespace strata
