// An exchange of tokens whose ranks are not met equally often. Links carry the sum of what each rank's part of the
// traffic puts on them, so parts are routed once and any popularity of ranks costs a sum.
#pragma once

#include <vector>

#include "hwmodels/fabric/collectives.hpp"

namespace strata {

class WeightedExchange {
public:
    // Shortest routes, sprayed. `back`: a combine. Throws InputError as dispatch and combine do.
    WeightedExchange(const Fabric& fabric, const std::vector<int>& ranks, const ExpertExchange& even, bool back);

    // How long the busiest link needs where the i-th rank is met `of_rank[i]` times as often as if all were met equally
    // often, and the i-th domain `of_domain[i]` times; for even ones that of dispatch and combine. Where flows differ
    // this is a bound from below of fair sharing, met if the busiest link has bytes to carry from the first to the
    // last: one that all ranks send through has.
    Seconds wire(const std::vector<double>& of_rank, const std::vector<double>& of_domain) const;
    int domains() const { return static_cast<int>(of_domain_.size()); }
    int domain_of(std::size_t rank) const { return domain_of_rank_[rank]; }  // of the exchange's ranks

private:
    struct OnLink {
        int link;
        double seconds;
    };
    using Part = std::vector<OnLink>;
    void route(const Fabric& fabric, const struct StageTraffic& traffic, bool back, bool by_domain);

    std::vector<int> index_of_endpoint_;  // among the ranks
    std::vector<int> domain_of_rank_;     // counted from 0 in the order of ranks
    std::vector<Part> of_rank_, of_domain_;
    std::size_t links_ = 0;
};

}  // namespace strata
