// What a step's exchanges take on a fabric, by flows. What a byte takes does not change with the number of bytes, so
// each kind of exchange is routed once.
#pragma once

#include <compare>
#include <map>

#include "hwmodels/fabric/collectives.hpp"
#include "hwmodels/fabric/fabric_spec.hpp"
#include "hwmodels/fabric/weighted_exchange.hpp"
#include "sim/placement/rank_shares.hpp"

namespace strata {

// Tokens to the first `ranks` endpoints, or results back.
struct TokenRoute {
    int ranks = 1;
    double copies = 0;   // of a token, on distinct ranks
    double domains = 0;  // distinct ones that these are in
    bool combine = false;
    bool once = true;  // to each domain, and copied there; else every copy goes its own way
    auto operator<=>(const TokenRoute&) const = default;
};

struct FabricTime {
    Seconds time{}, latency{};  // the latter with the start: what no link is busy with
    Bytes sent{};               // by a rank, on links between domains if it crosses any, else inside
};

class FabricCosts {
public:
    // Throws InputError for a shape that cannot be built.
    explicit FabricCosts(const FabricSpec& spec);

    int domain() const { return fabric_.endpoints_per_domain(); }
    int endpoints() const { return fabric_.endpoints(); }

    // `bytes` of all tokens of a rank, one copy of each. Throws InputError where there is no route or a latency is
    // unknown.
    FabricTime tokens(const TokenRoute& route, Bytes bytes);
    // How much longer its links are busy when ranks have these shares of a layer, of which each is sent its `moved`, in
    // a step of `tokens`.
    double stretch(const TokenRoute& route, const std::vector<RankShare>& shares, double RankShare::*moved,
                   double tokens);
    // Of a vector of `bytes` that each of the first `ranks` has, by the fastest algorithm.
    FabricTime all_reduce(int ranks, Bytes bytes);

private:
    ExpertExchange of_a_token(const TokenRoute& route) const;
    FabricTime scaled(const CollectiveTime& of_a_megabyte, int ranks, Bytes bytes) const;

    Fabric fabric_;
    bool joined_;
    std::map<TokenRoute, CollectiveTime> token_routes_;
    std::map<TokenRoute, WeightedExchange> weighted_routes_;  // of one copy in one domain
    std::map<std::pair<int, Algorithm>, CollectiveTime> reductions_;
};

}  // namespace strata
