#include <fmt/format.h>

#include <algorithm>

#include "hwmodels/fabric/flow_simulation.hpp"
#include "hwmodels/fabric/stages.hpp"

namespace strata {

namespace {

// What each rank sends to each other, and, where forwarded, to each other domain.
struct TokenSpread {
    Bytes to_a_rank{}, to_a_domain{};
    bool reversed = false;  // the same bytes the other way round
};

void add(std::vector<TrafficDemand>& demands, int from, int to, Bytes bytes, bool reversed) {
    if (from != to && bytes > Bytes(0))
        demands.push_back(reversed ? TrafficDemand{to, from, bytes} : TrafficDemand{from, to, bytes});
}

Stage direct(const Fabric& fabric, const std::vector<int>& ranks, const TokenSpread& spread) {
    StageTraffic inside{.link_class = LinkClass::scale_up}, across{.link_class = LinkClass::scale_out};
    for (const int from : ranks)
        for (const int to : ranks)
            add((fabric.domain_of(from) == fabric.domain_of(to) ? inside : across).demands, from, to, spread.to_a_rank,
                spread.reversed);
    return {.traffic = {std::move(inside), std::move(across)}};
}

std::vector<Stage> forwarded(const std::vector<std::vector<int>>& domains, const TokenSpread& spread) {
    StageTraffic inside{.link_class = LinkClass::scale_up}, across{.link_class = LinkClass::scale_out};
    for (const std::vector<int>& here : domains)
        for (std::size_t i = 0; i < here.size(); ++i) {
            for (const std::vector<int>& there : domains)
                if (here[0] != there[0]) add(across.demands, here[i], there[i], spread.to_a_domain, spread.reversed);
            // Its own, and what its number in all other domains has sent it for others here.
            for (const int to : here)
                add(inside.demands, here[i], to, spread.to_a_rank * double(domains.size()), spread.reversed);
        }
    const Stage first{.traffic = {spread.reversed ? inside : across}},
        second{.traffic = {spread.reversed ? across : inside}};
    return {first, second};
}

std::vector<Stage> stages(const Fabric& fabric, const std::vector<int>& ranks, const TokenSpread& spread,
                          Crossing crossing) {
    const bool forwards = crossing == Crossing::forwarded && fabric.endpoints_per_domain() > 1;
    const auto domains = by_domain(fabric, ranks, forwards);
    return forwards ? forwarded(domains, spread) : std::vector<Stage>{direct(fabric, ranks, spread)};
}

}  // namespace

std::vector<Stage> stages_of(const Fabric& fabric, const std::vector<int>& ranks, const AllToAll& what) {
    const auto domains = static_cast<double>(by_domain(fabric, ranks, false).size());
    return stages(fabric, ranks,
                  {.to_a_rank = what.bytes, .to_a_domain = what.bytes * (static_cast<double>(ranks.size()) / domains)},
                  what.crossing);
}

std::vector<Stage> stages_of(const Fabric& fabric, const std::vector<int>& ranks, const ExpertExchange& what,
                             bool back) {
    const auto domains = static_cast<double>(by_domain(fabric, ranks, false).size());
    const auto n = static_cast<double>(ranks.size());
    if (!(what.tokens >= 0) || !(what.token >= Bytes(0)) || what.ranks_per_token < 0 || what.ranks_per_token > n ||
        what.domains_per_token < 0 || what.domains_per_token > domains)
        throw InputError(fabric.name(), fmt::format("tokens to at most {} ranks in {} domains", n, domains),
                         fmt::format("{} ranks in {} domains", what.ranks_per_token, what.domains_per_token));
    const Bytes to_a_rank = what.token * (what.tokens * what.ranks_per_token / n);
    const Bytes once = what.token * (what.tokens * what.domains_per_token / domains);
    return stages(fabric, ranks,
                  {.to_a_rank = to_a_rank,
                   .to_a_domain = what.once_to_a_domain ? once : to_a_rank * (n / domains),
                   .reversed = back},
                  what.crossing);
}

CollectiveTime all_to_all(const Fabric& fabric, const std::vector<int>& ranks, const AllToAll& what,
                          const CollectiveTerms& terms) {
    return time_of(fabric, stages_of(fabric, ranks, what), static_cast<int>(ranks.size()), terms);
}

CollectiveTime dispatch(const Fabric& fabric, const std::vector<int>& ranks, const ExpertExchange& what,
                        const CollectiveTerms& terms) {
    return time_of(fabric, stages_of(fabric, ranks, what, false), static_cast<int>(ranks.size()), terms);
}

CollectiveTime combine(const Fabric& fabric, const std::vector<int>& ranks, const ExpertExchange& what,
                       const CollectiveTerms& terms) {
    return time_of(fabric, stages_of(fabric, ranks, what, true), static_cast<int>(ranks.size()), terms);
}

CollectiveTime exchange(const Fabric& fabric, const std::vector<TrafficDemand>& demands, const CollectiveTerms& terms) {
    const std::array routers{Router(fabric, LinkClass::scale_up), Router(fabric, LinkClass::scale_out)};
    std::vector<Flow> flows;
    LinkLoads loads(fabric);
    for (const TrafficDemand& d : demands) {
        const auto c = fabric.domain_of(d.from) == fabric.domain_of(d.to) ? LinkClass::scale_up : LinkClass::scale_out;
        const Router& router = routers[static_cast<std::size_t>(c)];
        const int links = loads.add(router, {d}, terms.routing);
        flows.push_back({.bytes = d.bytes,
                         .shares = router.shares(d.from, d.to, terms.routing),
                         .latency = links > 0 ? fabric.layer(c).latency_over(links) : Seconds(0)});
    }
    const FlowTimes times = flow_times(capacities(fabric), flows);
    CollectiveTime time{.bottleneck = times.bottleneck};
    time.scale_up = loads.sent(LinkClass::scale_up);
    time.scale_out = loads.sent(LinkClass::scale_out);
    std::vector<bool> taking_part(static_cast<std::size_t>(fabric.endpoints()));
    for (const TrafficDemand& d : demands) taking_part[std::size_t(d.from)] = taking_part[std::size_t(d.to)] = true;
    if (const auto last = std::max_element(times.arrival.begin(), times.arrival.end()); last != times.arrival.end())
        time.latency = flows[static_cast<std::size_t>(last - times.arrival.begin())].latency;
    time.wire = times.time - time.latency;
    return with_terms(time, static_cast<int>(std::count(taking_part.begin(), taking_part.end(), true)), terms);
}

}  // namespace strata
