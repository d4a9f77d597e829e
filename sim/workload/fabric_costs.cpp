#include "sim/workload/fabric_costs.hpp"

#include <algorithm>

namespace strata {

namespace {

constexpr Bytes kMegabyte(1e6);

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
        const ExpertExchange what{.tokens = 1,
                                  .token = kMegabyte,
                                  .ranks_per_token = route.copies,
                                  .domains_per_token = route.domains,
                                  .crossing = route.once || !joined_ ? Crossing::forwarded : Crossing::direct,
                                  .once_to_a_domain = route.once};
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
