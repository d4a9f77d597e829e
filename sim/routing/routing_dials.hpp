// What a scenario says of where tokens go, and the source that it stands for: a trace, or choices by a law of
// popularity under the model's own router.
#pragma once

#include <compare>
#include <memory>
#include <string>

#include "sim/model/model.hpp"
#include "sim/routing/score_routing.hpp"

namespace strata {

struct RoutingDials {
    Popularity popularity{};
    Topics topics{};
    double token_exponent = 0;                 // of token ids, in layers that are routed by a hash
    std::string counts_file{}, tokens_file{};  // a trace; empty: none. Then nothing above counts
    std::uint64_t seed = 0;

    auto operator<=>(const RoutingDials&) const = default;
};

// Of the layers that have a router, by scores. `tokens` of one step. Throws InputError for a trace.
ScoreRoutingSpec score_routing_spec(const Model& model, const RoutingDials& dials, std::int64_t tokens);

// `tokens` of one step, which all ranks of an expert group route together. Layers count as the model's: dense ones have
// no experts, and nobody asks for them. Throws InputError that names the field or the line of a file.
std::unique_ptr<RoutingSource> routing_of(const Model& model, const RoutingDials& dials, std::int64_t tokens);

}  // namespace strata
