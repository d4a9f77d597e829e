#include "app/gui/models/fabric_use.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <tuple>

#include "kernels/collective/collective.hpp"
#include "sim/collective/collective_engine.hpp"

namespace strata {

namespace {

struct FoundFabric {
    FabricSpec spec;
    std::string note;
};

// A system says nothing of its network's shape. The catalogue's fabric of the same name is it; else the first whose
// domains are as large as the system's nodes stands in, and the page says so.
FoundFabric fabric_of(const Scenario& scenario, Answerer& answerer, const std::string& name) {
    const Catalog& catalog = answerer.inputs().catalog();
    if (!name.empty()) return {read_fabric(catalog.fabric_file(name)), "The catalogue's " + name + "."};
    if (scenario.fabric) return {*scenario.fabric, {}};
    const std::set<std::string> names = fabric_names(answerer.root());
    if (names.contains(scenario.system))
        return {read_fabric(catalog.fabric_file(scenario.system)),
                fmt::format("The catalogue's fabric of {}.", scenario.system)};
    const double per_node = scenario.platform.system.accelerators_per_node.value.value_or(0);
    for (const std::string& known : names) {
        FabricSpec spec = read_fabric(catalog.fabric_file(known));
        if (spec.domain == per_node && spec.endpoints >= scenario.placement.stage_ranks())
            return {std::move(spec),
                    fmt::format("The scenario names no fabric (platform.fabric): the catalogue's {} has as many "
                                "accelerators a node and stands in for it.",
                                known)};
    }
    throw InputError(
        "The scenario names no fabric (platform.fabric), and none of the catalogue has nodes of this size.");
}

std::string place_of(int level) { return level == 0 ? "endpoints" : fmt::format("level {}", level); }

int level_of(const Fabric& fabric, int vertex) { return fabric.is_switch(vertex) ? fabric.vertex(vertex).level : 0; }

std::vector<FabricCut> cuts_of(const Fabric& fabric, const LinkLoads& loads, const std::vector<double>& share) {
    std::map<std::tuple<LinkClass, int, int>, FabricCut> cuts;
    for (std::size_t i = 0; i < fabric.links().size(); ++i) {
        const FabricLink& link = fabric.links()[i];
        const int from = level_of(fabric, link.from), to = level_of(fabric, link.to);
        FabricCut& cut = cuts[{link.link_class, from, to}];
        cut.name = fmt::format("{}, {} to {}", to_string(link.link_class), place_of(from), place_of(to));
        cut.link_class = link.link_class;
        cut.from_level = from;
        cut.to_level = to;
        ++cut.links;
        cut.capacity_GBps += link.bandwidth.si() / 1e9;
        cut.carried_GB += to_GB(loads.bytes()[i]);
        cut.busiest_share = std::max(cut.busiest_share, share[i]);
        cut.mean_share += share[i];
    }
    std::vector<FabricCut> sorted;
    for (auto& [key, cut] : cuts) {
        cut.mean_share /= cut.links;
        sorted.push_back(cut);
    }
    std::ranges::stable_sort(sorted, std::greater{},
                             [](const FabricCut& cut) { return std::pair(cut.busiest_share, cut.mean_share); });
    return sorted;
}

FabricUse use_of(Fabric fabric, const std::vector<Stage>& stages, int ranks, const CollectiveTerms& terms) {
    FabricUse use{.fabric = std::move(fabric), .note = {}, .exchange = {}, .share = {}, .cuts = {}};
    const LinkLoads loads = loads_of(use.fabric, stages, terms);
    const LinkLoads::Busiest busiest = loads.busiest();
    use.busiest = busiest.link;
    use.wire_us = to_us(busiest.time);
    use.time_us = to_us(time_of(use.fabric, stages, ranks, terms).time);
    for (std::size_t i = 0; i < use.fabric.links().size(); ++i)
        use.share.push_back(
            busiest.time > Seconds(0) ? loads.bytes()[i] / use.fabric.links()[i].bandwidth / busiest.time : 0);
    use.cuts = cuts_of(use.fabric, loads, use.share);
    return use;
}

FabricUse collective_use(CollectiveWorkload what) {
    CollectiveTerms terms = what.terms;
    terms.routing = what.routing == WayFinding::hashed    ? Routing::hashed
                    : what.routing == WayFinding::valiant ? Routing::valiant
                                                          : Routing::sprayed;
    PlannedCollective planned = plan(what);
    FabricUse use = use_of(std::move(planned.fabric), planned.stages, what.ranks, terms);
    use.exchange =
        fmt::format("{} of {} ranks, {} paths{}", to_string(what.operation), what.ranks, to_string(what.routing),
                    what.routing == WayFinding::adaptive ? " (drawn as sprayed: flows have no queues)" : "");
    return use;
}

// Tokens of one layer to their experts, spread evenly: in decode every copy goes its own way, in prefill a token goes
// once to a domain (github deepseek-ai/DeepEP, low latency and normal mode).
FabricUse dispatch_use(const Scenario& scenario, const FoundFabric& found) {
    const Placement& placement = scenario.placement;
    const Model& model = scenario.model;
    Fabric fabric = build(found.spec);
    if (placement.ep > fabric.endpoints())
        throw InputError("placement.ep",
                         fmt::format("at most the {} endpoints of {}", fabric.endpoints(), fabric.name()),
                         fmt::format("{}", placement.ep));
    const double tokens = scenario.workload.batch / placement.dp / placement.batches() * scenario.workload.queries() /
                          placement.cp / placement.tp;
    const double domains = std::ceil(double(placement.ep) / fabric.endpoints_per_domain());
    const bool once = domains > 1 && scenario.workload.prefill;
    const bool joined = !found.spec.scale_out || found.spec.scale_out->wiring != Wiring::rail_planes;
    const double ranks = scenario.workload.prefill ? copies_per_rank(model.ffn.top_k, placement.ep)
                                                   : std::min<double>(model.ffn.top_k, placement.ep);
    const ExpertExchange what{.tokens = tokens,
                              .token = Bytes(model.hidden * bytes_per_element(model.activations_with(model.experts))),
                              .ranks_per_token = ranks,
                              .domains_per_token = domains > 1 ? copies_per_rank(model.ffn.top_k, domains) : 1,
                              .crossing = once || !joined ? Crossing::forwarded : Crossing::direct,
                              .once_to_a_domain = once};
    const std::vector<int> group = first_ranks(placement.ep);
    const std::vector<Stage> stages = stages_of(fabric, group, what, false);
    FabricUse use = use_of(std::move(fabric), stages, placement.ep, {});
    use.exchange = fmt::format("dispatch of one layer: {:.4g} tokens of each of {} ranks to {:.0f} experts each",
                               tokens, placement.ep, model.ffn.top_k);
    use.note = found.note;
    return use;
}

}  // namespace

std::set<std::string> fabric_names(const std::string& root) {
    std::set<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(root) / "hwmodels" / "catalog" / "fabrics"))
        names.insert(entry.path().stem().string());
    return names;
}

FabricUse fabric_use(Answerer& answerer, const AnswerRequest& request, const std::string& name) {
    const Scenario scenario = answerer.read(request);
    if (scenario.collective) {
        CollectiveWorkload what = *scenario.collective;
        if (!name.empty()) {
            what.fabric = read_fabric(answerer.inputs().catalog().fabric_file(name));
            what.ranks = std::min(what.ranks, what.fabric.endpoints);
        }
        return collective_use(std::move(what));
    }
    if (!has_a_step(scenario) || scenario.model.ffn.experts <= 0 || scenario.placement.ep < 2)
        throw InputError(
            "Nothing is exchanged between experts here: a decode or prefill step with placement.ep of 2 or more, or a "
            "workload of kind collective, puts something on the links.");
    return dispatch_use(scenario, fabric_of(scenario, answerer, name));
}

}  // namespace strata
