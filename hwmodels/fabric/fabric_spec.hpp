// A fabric as a file describes it (hwmodels/catalog/fabrics/*.yaml), and the graph that it stands for.
#pragma once

#include <optional>
#include <string>

#include "hwmodels/fabric/properties.hpp"
#include "hwmodels/fabric/shapes.hpp"
#include "hwmodels/yaml_field.hpp"

namespace strata {

// Which endpoints take which places of a layer between domains.
enum class Wiring : unsigned char {
    by_domain,   // in order: a leaf has whole domains under it
    by_rail,     // endpoints of the same number in their domains lie together (rail-optimised)
    rail_planes  // each rail has a plane to itself; the planes are not joined (DeepSeek's multi-plane network,
                 // rail-only)
};

struct FabricLayerSpec {
    Shape shape{};
    Wiring wiring = Wiring::by_domain;
    int planes = 1;  // of rail_planes: rails beyond them share planes in turn. Those of every endpoint are the shape's
    Cable cable = Cable::unknown;
    bool reduces = false;
    std::string shape_kind{}, shape_source{};  // of all the above
    Sourced<Bandwidth> bandwidth{};            // of an endpoint, per direction, over all its lanes
    Sourced<Bandwidth> effective_bandwidth{};  // as measured; null: the wire's own is reckoned with
    Sourced<Seconds> latency{};                // between the nearest endpoints
    Sourced<Seconds> hop{};                    // of each link more
    FabricPrices prices{};
    auto operator<=>(const FabricLayerSpec&) const = default;
};

struct FabricSpec {
    std::string name{}, file{};
    int endpoints = 0;
    int domain = 0;  // endpoints of a scale-up domain
    std::string size_kind{}, size_source{};
    std::optional<FabricLayerSpec> scale_up{}, scale_out{};
    auto operator<=>(const FabricSpec&) const = default;
};

// Notes what is wrong as problems of the field; whether the shape can be built is said by `build`.
FabricSpec read_fabric(const YamlField& root);
// Throws InputError with all that is wrong, each with its place; also for a shape that cannot be built.
FabricSpec read_fabric(const std::string& file);

// Throws InputError for a shape that does not fit and for an unknown bandwidth.
Fabric build(const FabricSpec& spec);

}  // namespace strata
