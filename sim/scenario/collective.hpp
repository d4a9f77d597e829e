// What a scenario of kind `collective` asks for: one exchange between ranks of a fabric alone, instead of a step of a
// model. Its platform is a fabric and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hwmodels/catalog.hpp"
#include "hwmodels/fabric/collectives.hpp"
#include "hwmodels/fabric/fabric_spec.hpp"

namespace strata {

enum class Collective : std::uint8_t { all_to_all, all_reduce, all_gather, reduce_scatter, dispatch, combine };
std::string_view to_string(Collective operation);

// How traffic finds its way: of the flow engine's three, and one that only packets can take.
enum class WayFinding : std::uint8_t { hashed, sprayed, valiant, adaptive };
std::string_view to_string(WayFinding way);

// The tokens of a dispatch or combine, spread evenly over the experts.
struct TokenSpread {
    double tokens = 0;  // of a rank
    double hidden = 0;
    double bytes_per_element = 1;
    double top_k = 0;
    double domain_limit = 0;  // domains that a token may go to (node-limited routing); 0: any
    bool per_expert = false;  // a copy for each expert, also where two are on one rank
};

struct CollectiveWorkload {
    FabricSpec fabric{};
    Collective operation = Collective::all_to_all;
    Algorithm algorithm = Algorithm::ring;  // of the three reductions
    Crossing crossing = Crossing::direct;   // of all_to_all, dispatch and combine
    WayFinding routing = WayFinding::sprayed;
    int ranks = 0;  // the first of the fabric's endpoints; 0: all
    // Of a rank: the vector that it has or gets whole; of an all-to-all, all that it sends, its own part included.
    Bytes bytes{};
    TokenSpread spread{};
    CollectiveTerms terms{};  // without their routing
    // Of the packet engine: a transaction, InfiniBand's largest MTU (4 KiB); buffer and channels, 0: as many as needed.
    Bytes packet{4096};
    int buffer_packets = 0, virtual_channels = 0;

    bool exchanges_tokens() const { return operation == Collective::dispatch || operation == Collective::combine; }
    bool reduces() const { return operation != Collective::all_to_all && !exchanges_tokens(); }
};

// The fields of a workload beside its kind that belong to a collective.
const std::vector<std::string>& collective_fields();
// `platform` holds the fabric.
CollectiveWorkload read_collective(const YamlField& workload, const YamlField& platform, const Catalog& catalog);

}  // namespace strata
