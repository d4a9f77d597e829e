#include "hwmodels/fabric/weighted_exchange.hpp"

#include <algorithm>
#include <map>

#include "hwmodels/fabric/stages.hpp"

namespace strata {

WeightedExchange::WeightedExchange(const Fabric& fabric, const std::vector<int>& ranks, const ExpertExchange& even,
                                   bool back)
    : index_of_endpoint_(static_cast<std::size_t>(fabric.endpoints()), -1), links_(fabric.links().size()) {
    std::map<int, int> number_of_domain;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        index_of_endpoint_[static_cast<std::size_t>(ranks[i])] = static_cast<int>(i);
        const int next = static_cast<int>(number_of_domain.size());
        domain_of_rank_.push_back(number_of_domain.try_emplace(fabric.domain_of(ranks[i]), next).first->second);
    }
    of_rank_.resize(ranks.size());
    of_domain_.resize(number_of_domain.size());
    const bool forwards = even.crossing == Crossing::forwarded && fabric.endpoints_per_domain() > 1;
    for (const Stage& stage : stages_of(fabric, ranks, even, back))
        for (const StageTraffic& traffic : stage.traffic)
            route(fabric, traffic, back, forwards && traffic.link_class == LinkClass::scale_out);
}

// A demand is the part of the rank, or of the domain, whose experts its tokens are for: where a dispatch goes and a
// combine comes from.
void WeightedExchange::route(const Fabric& fabric, const StageTraffic& traffic, bool back, bool by_domain) {
    const Router router(fabric, traffic.link_class);
    std::map<int, std::map<int, std::vector<const TrafficDemand*>>> by_destination;  // then by whose part it is
    for (const TrafficDemand& demand : traffic.demands) {
        const int owner = index_of_endpoint_[static_cast<std::size_t>(back ? demand.from : demand.to)];
        const int part = by_domain ? domain_of_rank_[static_cast<std::size_t>(owner)] : owner;
        by_destination[demand.to][part].push_back(&demand);
    }
    for (const auto& [to, parts] : by_destination) {
        const RoutesTo routes = router.routes_to(to);
        for (const auto& [number, demands] : parts) {
            TrafficPush push(routes, fabric);
            for (const TrafficDemand* demand : demands) {
                if (!routes.from(demand->from)) throw no_route(fabric, traffic.link_class, demand->from, to);
                push.put(demand->from, demand->bytes.si());
            }
            Part& part = (by_domain ? of_domain_ : of_rank_)[static_cast<std::size_t>(number)];
            push.flow([&](int link, double bytes) {
                part.push_back({link, bytes / fabric.link(link).bandwidth.si()});
            });
        }
    }
}

Seconds WeightedExchange::wire(const std::vector<double>& of_rank, const std::vector<double>& of_domain) const {
    std::vector<double> busy(links_);
    const auto add = [&](const std::vector<Part>& parts, const std::vector<double>& weights) {
        for (std::size_t i = 0; i < parts.size(); ++i)
            for (const OnLink& on : parts[i]) busy[static_cast<std::size_t>(on.link)] += on.seconds * weights[i];
    };
    add(of_rank_, of_rank);
    add(of_domain_, of_domain);
    return Seconds(busy.empty() ? 0 : *std::max_element(busy.begin(), busy.end()));
}

}  // namespace strata
