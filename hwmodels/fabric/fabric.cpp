#include "hwmodels/fabric/fabric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace strata {

std::string to_string(LinkClass link_class) { return link_class == LinkClass::scale_up ? "scale_up" : "scale_out"; }

std::string to_string(Cable cable) {
    switch (cable) {
        case Cable::unknown: return "unknown";
        case Cable::board: return "board";
        case Cable::backplane: return "backplane";
        case Cable::copper: return "copper";
        case Cable::optical: return "optical";
    }
    throw std::logic_error("a cable without a name");
}

namespace {
// Beyond this a description is a slip of the pen, and would fill the memory: some 1.3 GB of links.
constexpr std::size_t kMostLinks = std::size_t(1) << 25, kMostVertices = std::size_t(1) << 24;
}  // namespace

Seconds FabricLayer::latency_over(int links) const {
    const int nearest = direct ? 1 : 2;
    const Seconds between_nearest = latency.get();
    return links > nearest ? between_nearest + hop.get() * (links - nearest) : between_nearest;
}

Fabric::Fabric(std::string name, int endpoints, int endpoints_per_domain)
    : name_(std::move(name)),
      endpoints_(endpoints),
      per_domain_(endpoints_per_domain),
      vertices_(static_cast<std::size_t>(std::max(endpoints, 0))) {
    if (endpoints < 1 || endpoints_per_domain < 1 || endpoints % endpoints_per_domain != 0)
        throw InputError(name_, "whole scale-up domains",
                         fmt::format("{} endpoints in domains of {}", endpoints, endpoints_per_domain));
    for (const LinkClass c : kLinkClasses) {
        layer(c).latency.field = fmt::format("{}.{}.latency", name_, to_string(c));
        layer(c).hop.field = fmt::format("{}.{}.hop", name_, to_string(c));
    }
}

int Fabric::add_switch(LinkClass link_class, int level, int plane) {
    if (vertices_.size() >= kMostVertices)
        throw InputError(name_, "a fabric that fits in memory", "over 2^24 vertices");
    vertices_.push_back({true, level, plane, link_class});
    return vertices() - 1;
}

void Fabric::connect(int a, int b, const Wire& wire, int plane, int lanes) {
    if (a == b || lanes < 1 || a < 0 || b < 0 || a >= vertices() || b >= vertices())
        throw std::logic_error(fmt::format("no link from {} to {} with {} lanes", a, b, lanes));
    if (links_.size() >= kMostLinks) throw InputError(name_, "a fabric that fits in memory", "over 2^24 links");
    for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
        links_.push_back({.from = from,
                          .to = to,
                          .bandwidth = wire.bandwidth * lanes,
                          .link_class = wire.link_class,
                          .cable = wire.cable,
                          .plane = plane,
                          .lanes = lanes});
    }
}

std::string Fabric::describe(int index) const {
    const auto name = [&](int v) {
        return is_switch(v) ? fmt::format("switch {} (level {})", v, vertex(v).level) : fmt::format("endpoint {}", v);
    };
    const FabricLink& l = link(index);
    return fmt::format("{}, plane {}: {} -> {}", to_string(l.link_class), l.plane, name(l.from), name(l.to));
}

}  // namespace strata
