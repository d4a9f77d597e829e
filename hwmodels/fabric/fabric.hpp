// A fabric as a graph: accelerators (endpoints) and switches, joined by links with a bandwidth in each direction.
// Vertices 0 .. endpoints-1 are the accelerators; switches follow. A scale-up domain is a run of consecutive
// endpoints. Each layer (scale-up inside a domain, scale-out between them) has links of its own, so that both can lie
// between the same endpoints. No time passes here: routes, flows and collectives are computed on it. It is plain
// values; properties.cpp hands it to Boost.Graph where an algorithm of that is wanted.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "hwmodels/specs.hpp"

namespace strata {

enum class LinkClass : unsigned char { scale_up, scale_out };
inline constexpr std::array kLinkClasses{LinkClass::scale_up, LinkClass::scale_out};
std::string to_string(LinkClass link_class);

enum class Cable : unsigned char { unknown, board, backplane, copper, optical };
std::string to_string(Cable cable);

// What the links of a layer have in common.
struct Wire {
    LinkClass link_class = LinkClass::scale_up;
    Bandwidth bandwidth{};  // of one lane, per direction, as transfers see it
    Cable cable = Cable::unknown;
};

// One direction of a cable, or of `lanes` parallel ones. Its reverse is the link with index ^ 1.
struct FabricLink {
    int from = 0, to = 0;
    Bandwidth bandwidth{};  // of all lanes
    LinkClass link_class = LinkClass::scale_up;
    Cable cable = Cable::unknown;
    int plane = 0;
    int lanes = 1;
};

// What the links of a layer have in common beside their bandwidth. Latencies are published between whole endpoints:
// that of the nearest two holds their network cards and the switch between them.
struct FabricLayer {
    Sourced<Seconds> latency;  // between the nearest endpoints; null: nobody has published it
    Sourced<Seconds> hop;      // of each further link, with the switch that it leads to
    bool direct = false;       // endpoints are wired to each other and forward for each other
    bool reduces = false;      // its switches add up and multicast what passes (SHARP)

    // Over a route of `links` links. Throws InputError where it is unknown.
    Seconds latency_over(int links) const;
};

struct FabricVertex {
    bool is_switch = false;
    int level = 0;  // of a switch: 1 is nearest to the endpoints
    int plane = 0;
    LinkClass link_class = LinkClass::scale_up;  // of a switch
};

class Fabric {
public:
    // Throws InputError unless the domains are whole.
    Fabric(std::string name, int endpoints, int endpoints_per_domain);

    int add_switch(LinkClass link_class, int level, int plane);
    // Both directions, each with the wire's bandwidth times `lanes`.
    void connect(int a, int b, const Wire& wire, int plane = 0, int lanes = 1);
    FabricLayer& layer(LinkClass link_class) { return layers_[static_cast<std::size_t>(link_class)]; }

    const std::string& name() const { return name_; }
    int endpoints() const { return endpoints_; }
    int endpoints_per_domain() const { return per_domain_; }
    int domain_of(int endpoint) const { return endpoint / per_domain_; }
    int vertices() const { return static_cast<int>(vertices_.size()); }
    bool is_switch(int vertex) const { return vertex >= endpoints_; }
    const FabricVertex& vertex(int index) const { return vertices_[static_cast<std::size_t>(index)]; }
    const std::vector<FabricLink>& links() const { return links_; }
    const FabricLink& link(int index) const { return links_[static_cast<std::size_t>(index)]; }
    const FabricLayer& layer(LinkClass link_class) const { return layers_[static_cast<std::size_t>(link_class)]; }

    // "scale_out, plane 3: endpoint 12 -> switch 2051 (level 1)", as reports name a bottleneck.
    std::string describe(int link) const;

private:
    std::string name_;
    int endpoints_, per_domain_;
    std::vector<FabricVertex> vertices_;
    std::vector<FabricLink> links_;
    std::array<FabricLayer, 2> layers_;
};

}  // namespace strata
