#include "sim/workload/fabric_costs.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace strata {

namespace {

constexpr Bytes kMegabyte(1e6);

std::vector<double> with_mean(std::vector<double> values, double mean) {
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    for (double& value : values) value = sum > 0 ? value / sum * double(values.size()) * mean : mean;
    return values;
}

}  // namespace

FabricCosts::FabricCosts(const FabricSpec& spec)
    : fabric_(build(spec)), joined_(!spec.scale_out || spec.scale_out->wiring != Wiring::rail_planes) {}

FabricTime FabricCosts::scaled(const CollectiveTime& one, int ranks, Bytes bytes) const {
    const double times = bytes / kMegabyte;
    const Seconds latency = one.startup + one.latency;
    const Bytes sent = one.scale_out > Bytes(0) ? one.scale_out : one.scale_up;
    return {.time = latency + one.wire * times, .latency = latency, .sent = sent * (times / ranks)};
}

FabricTime FabricCosts::tokens(const TokenRoute& route, Bytes bytes) {
    const auto [known, is_new] = token_routes_.try_emplace(route);
    if (is_new) {
        const ExpertExchange what = of_a_token(route);
        const std::vector<int> ranks = first_ranks(route.ranks);
        try {
            known->second = route.combine ? combine(fabric_, ranks, what) : dispatch(fabric_, ranks, what);
        } catch (const InputError&) {
            token_routes_.erase(known);
            throw;
        }
    }
    return scaled(known->second, route.ranks, bytes);
}

ExpertExchange FabricCosts::of_a_token(const TokenRoute& route) const {
    return {.tokens = 1,
            .token = kMegabyte,
            .ranks_per_token = route.copies,
            .domains_per_token = route.domains,
            .crossing = route.once || !joined_ ? Crossing::forwarded : Crossing::direct,
            .once_to_a_domain = route.once};
}

// Where a token goes once to a domain, a domain is met by those that pass none of its ranks by; else by all copies for
// them.
double FabricCosts::stretch(const TokenRoute& route, const std::vector<RankShare>& shares, double RankShare::*moved,
                            double tokens) {
    TokenRoute of_one = route;
    of_one.copies = of_one.domains = 1;
    auto known = weighted_routes_.find(of_one);
    if (known == weighted_routes_.end())
        known =
            weighted_routes_
                .emplace(of_one, WeightedExchange(fabric_, first_ranks(route.ranks), of_a_token(of_one), route.combine))
                .first;
    const WeightedExchange& exchange = known->second;
    const auto domains = static_cast<std::size_t>(exchange.domains());
    std::vector<double> of_rank, passed_by(domains, 1), of_domain(domains);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        of_rank.push_back(shares[i].*moved);
        const auto domain = static_cast<std::size_t>(exchange.domain_of(i));
        passed_by[domain] *= 1 - std::min(1.0, shares[i].copies / tokens);
        of_domain[domain] += of_rank.back();
    }
    for (std::size_t i = 0; route.once && i < domains; ++i) of_domain[i] = 1 - passed_by[i];
    const double to_domains = route.once ? route.domains : route.copies;
    const Seconds even =
        exchange.wire(std::vector<double>(of_rank.size(), route.copies), std::vector<double>(domains, to_domains));
    if (even <= Seconds(0)) return 1;
    return exchange.wire(with_mean(std::move(of_rank), route.copies), with_mean(std::move(of_domain), to_domains)) /
           even;
}

FabricTime FabricCosts::all_reduce(int ranks, Bytes bytes) {
    FabricTime best;
    for (const Algorithm algorithm : {Algorithm::ring, Algorithm::tree, Algorithm::direct, Algorithm::in_network}) {
        if (algorithm == Algorithm::in_network && !fabric_.layer(LinkClass::scale_up).reduces) continue;
        auto known = reductions_.find({ranks, algorithm});
        if (known == reductions_.end()) {
            const Reduction what{.operation = Operation::all_reduce, .algorithm = algorithm, .bytes = kMegabyte};
            known =
                reductions_.emplace(std::pair(ranks, algorithm), reduction(fabric_, first_ranks(ranks), what)).first;
        }
        const FabricTime time = scaled(known->second, ranks, bytes);
        if (algorithm == Algorithm::ring || time.time < best.time) best = time;
    }
    return best;
}

}  // namespace strata
