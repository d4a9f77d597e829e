#include "sim/collective/collective_engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hwmodels/fabric/properties.hpp"
#include "hwmodels/rates.hpp"
#include "kernels/collective/collective.hpp"

namespace strata {

namespace {

ExpertExchange exchange_of(const CollectiveWorkload& what, double ranks, double domains) {
    const TokenSpread& spread = what.spread;
    const double reached = spread.domain_limit > 0 ? std::min(domains, spread.domain_limit) : domains;
    return {.tokens = spread.tokens,
            .token = Bytes(spread.hidden * spread.bytes_per_element),
            .ranks_per_token = spread.per_expert ? std::min(spread.top_k, ranks)
                                                 : copies_per_rank(spread.top_k, ranks * reached / domains),
            .domains_per_token = copies_per_rank(spread.top_k, reached),
            .crossing = what.crossing,
            .once_to_a_domain = !spread.per_expert};
}

Reduction reduction_of(const CollectiveWorkload& what) {
    const Operation operation = what.operation == Collective::all_gather       ? Operation::all_gather
                                : what.operation == Collective::reduce_scatter ? Operation::reduce_scatter
                                                                               : Operation::all_reduce;
    return {operation, what.algorithm, what.bytes};
}

void plan_tokens(PlannedCollective& planned, const CollectiveWorkload& what, double n) {
    const auto domains = static_cast<double>(by_domain(planned.fabric, planned.ranks, false).size());
    const ExpertExchange tokens = exchange_of(what, n, domains);
    planned.stages = stages_of(planned.fabric, planned.ranks, tokens, what.operation == Collective::combine);
    // DeepEP counts every copy, its own included: one for each domain where a token crosses once, else for each rank.
    const bool once = tokens.crossing == Crossing::forwarded && tokens.once_to_a_domain && domains > 1;
    planned.bytes = tokens.token * (tokens.tokens * (once ? tokens.domains_per_token : tokens.ranks_per_token));
    planned.bus_share = once ? 1 - 1 / domains : 1 - 1 / n;
}

// Beyond this many endpoints a minimum cut and all distances take minutes.
constexpr int kMostForCuts = 1024;

void add_fabric_facts(std::map<std::string, double>& metrics, const FabricSpec& spec, const Fabric& fabric) {
    Inventory all;
    FabricBill cost;
    std::vector<LinkClass> classes;
    for (const auto& [layer, link_class] :
         {std::pair(&spec.scale_up, LinkClass::scale_up), std::pair(&spec.scale_out, LinkClass::scale_out)}) {
        if (!*layer) continue;
        classes.push_back(link_class);
        const Inventory counted = inventory(fabric, link_class);
        all.switches += counted.switches;
        all.inter_switch_links += counted.inter_switch_links;
        all.endpoint_links += counted.endpoint_links;
        // A node's own switches are priced with the node: where there is a network, it is the network that costs.
        if (link_class == LinkClass::scale_up && spec.scale_out) continue;
        cost = bill(counted, fabric.endpoints(), (*layer)->prices);
    }
    metrics["fabric.switches"] = double(all.switches);
    metrics["fabric.links"] = double(all.inter_switch_links + all.endpoint_links);
    if (cost.usd) metrics["fabric.usd"] = *cost.usd;
    if (cost.usd_per_endpoint) metrics["fabric.usd_per_endpoint"] = *cost.usd_per_endpoint;
    if (cost.power_w) metrics["fabric.power_w"] = *cost.power_w;
    if (fabric.endpoints() > kMostForCuts) return;
    metrics["fabric.bisection_GBps"] = to_GBps(bisection(fabric, classes));
    metrics["fabric.diameter"] = diameter(fabric, classes.back());
}

}  // namespace

PlannedCollective plan(const CollectiveWorkload& what) {
    PlannedCollective planned{.fabric = build(what.fabric), .ranks = first_ranks(what.ranks), .stages = {}};
    if (what.ranks > what.fabric.endpoints)
        throw InputError(what.fabric.name, fmt::format("at most its {} endpoints as ranks", what.fabric.endpoints),
                         fmt::format("{}", what.ranks));
    const auto n = static_cast<double>(what.ranks);
    if (what.exchanges_tokens()) {
        plan_tokens(planned, what, n);
        return planned;
    }
    planned.bytes = what.bytes;
    planned.bus_share = (what.operation == Collective::all_reduce ? 2 : 1) * (n - 1) / n;
    if (what.operation == Collective::all_to_all)
        planned.stages =
            stages_of(planned.fabric, planned.ranks, AllToAll{.bytes = what.bytes / n, .crossing = what.crossing});
    else
        planned.stages = stages_of(planned.fabric, planned.ranks, reduction_of(what));
    return planned;
}

Run run_of(const CollectiveWorkload& what, const PlannedCollective& planned, const CollectiveTime& time,
           const std::string& engine) {
    Run run;
    run.engine = engine;
    const double algorithm_GBps = time.time > Seconds(0) ? to_GBps(planned.bytes / time.time) : 0;
    run.metrics = {{"collective.time_us", to_us(time.time)},
                   {"collective.algorithm_bandwidth_GBps", algorithm_GBps},
                   {"collective.bus_bandwidth_GBps", algorithm_GBps * planned.bus_share},
                   {"collective.wire_us", to_us(time.wire)},
                   {"collective.latency_us", to_us(time.latency)},
                   {"collective.waiting_us", to_us(time.waiting)},
                   {"collective.busiest_link_share", time.time > Seconds(0) ? time.wire / time.time : 0}};
    add_fabric_facts(run.metrics, what.fabric, planned.fabric);
    run.bottleneck = time.bottleneck < 0 ? "nothing is sent" : planned.fabric.describe(time.bottleneck);
    return run;
}

Run run_collective(const CollectiveWorkload& what) {
    if (what.routing == WayFinding::adaptive)
        throw InputError("workload.paths", "hashed, sprayed or valiant at the level of flows",
                         "adaptive: flows have no queues to choose by; use engines: [packet]");
    const PlannedCollective planned = plan(what);
    CollectiveTerms terms = what.terms;
    terms.routing = what.routing == WayFinding::hashed    ? Routing::hashed
                    : what.routing == WayFinding::valiant ? Routing::valiant
                                                          : Routing::sprayed;
    return run_of(what, planned, time_of(planned.fabric, planned.stages, what.ranks, terms), "flow");
}

}  // namespace strata
