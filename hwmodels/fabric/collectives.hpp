// Collectives on a fabric, at the level of flows: each algorithm says which bytes go from where to where in which
// order; the fabric says what that puts on each link. Time is a start, the latencies of the steps that wait for each
// other, the busiest link's bytes at its bandwidth, and what waiting for the slowest rank adds.
#pragma once

#include <optional>
#include <vector>

#include "hwmodels/fabric/traffic.hpp"

namespace strata {

struct CollectiveTerms {
    Routing routing = Routing::sprayed;
    // Launch of its kernel: H200, back to back without a graph (github te42kyfo/gpu-benches gpu-small-kernels).
    Seconds startup = 2.5_us;
    // What a step costs that waits for the one before, in place of the layer's latency: none unless a library's own is
    // known. NCCL's tuner reckons a ring's step in its simple protocol at 3.4 us over NVLink and 14 us over a network
    // (hwLat in NCCL's graph/tuning.cc).
    std::optional<Seconds> scale_up_step{}, scale_out_step{};
    // Of the time on wires and in latencies. assumed: 0, because the effective bandwidths of the catalogue were
    // measured over whole exchanges that hold it already. UBEP (arXiv 2607.06202) finds 15 % on CloudMatrix384.
    double synchronisation = 0;
    // Standard deviation of a rank's time for its mean; n ranks wait for the slowest, sqrt(2 ln n) deviations late
    // (extreme of n normal variables). assumed: 0, nobody has published one.
    double jitter = 0;
    // assumed: parts of a stage's bytes go on while others of the stage before still come, as NCCL's and DeepEP's
    // kernels do by channels: links are busy together. Otherwise a stage begins when the one before has ended.
    bool pipelined = true;
};

struct CollectiveTime {
    Seconds time{};  // the sum of the four:
    Seconds startup{}, latency{}, wire{}, waiting{};
    Bytes scale_up{}, scale_out{};  // that endpoints put on links of each class
    int bottleneck = -1;            // the link with the most to carry for its bandwidth; -1: nothing was sent
};

// Where traffic of a group of ranks goes from one scale-up domain to another.
enum class Crossing : unsigned char {
    direct,    // each rank sends to the destination's own port of the scale-out layer
    forwarded  // to the rank of the same number in the destination's domain, which passes it on over the scale-up layer
};

// `bytes` from each rank to each other rank; what a rank sends itself takes no wire.
struct AllToAll {
    Bytes bytes{};
    Crossing crossing = Crossing::direct;
};

// Tokens to the ranks of their experts, spread evenly. A forwarded token can go once to a domain and be copied inside
// (node-limited routing, DeepSeek-V3, arXiv 2412.19437, section 3.2.2).
struct ExpertExchange {
    double tokens = 0;             // of a rank
    Bytes token{};                 // on the wire: hidden x bytes per element, with scales
    double ranks_per_token = 0;    // distinct ranks that it goes to, its own counted as one
    double domains_per_token = 0;  // distinct domains, its own counted as one
    Crossing crossing = Crossing::forwarded;
    bool once_to_a_domain = true;  // only where forwarded
};

// `ranks` are endpoints of the fabric; those of a domain must be as many in each where traffic is forwarded. Throw
// InputError where there is no route or a latency is unknown.
CollectiveTime all_to_all(const Fabric& fabric, const std::vector<int>& ranks, const AllToAll& what,
                          const CollectiveTerms& terms = {});
CollectiveTime dispatch(const Fabric& fabric, const std::vector<int>& ranks, const ExpertExchange& what,
                        const CollectiveTerms& terms = {});
CollectiveTime combine(const Fabric& fabric, const std::vector<int>& ranks, const ExpertExchange& what,
                       const CollectiveTerms& terms = {});
// Any bytes between any endpoints, shared fairly to the end of each flow: scale-up inside a domain, else scale-out.
CollectiveTime exchange(const Fabric& fabric, const std::vector<TrafficDemand>& demands,
                        const CollectiveTerms& terms = {});

enum class Operation : unsigned char { all_reduce, all_gather, reduce_scatter };
enum class Algorithm : unsigned char {
    ring,    // through all ranks, as many rings as a domain has ranks, each entering it elsewhere (NCCL)
    tree,    // pairs of binary trees for all-reduce (Sanders et al. 2009, NCCL 2.4), else a rotated tree for each part
    direct,  // every rank to every other at once
    in_network  // switches add up and multicast (SHARP, NVLS)
};

struct Reduction {
    Operation operation = Operation::all_reduce;
    Algorithm algorithm = Algorithm::ring;
    Bytes bytes{};  // of the whole vector: each rank has, or gets, all of it
};

// All but the ring work inside each domain first and then between ranks of the same number (and back). Throws
// InputError as above, and for in-network algorithms where the switches cannot.
CollectiveTime reduction(const Fabric& fabric, const std::vector<int>& ranks, const Reduction& what,
                         const CollectiveTerms& terms = {});

// 0, 1, .. n - 1.
std::vector<int> first_ranks(int n);

}  // namespace strata
