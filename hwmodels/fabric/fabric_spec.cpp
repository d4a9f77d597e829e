#include "hwmodels/fabric/fabric_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "hwmodels/positive_field.hpp"

namespace strata {

namespace {

template <class Value>
using Choices = std::map<std::string, Value>;

const Choices<Wiring> kWirings{
    {"by_domain", Wiring::by_domain}, {"by_rail", Wiring::by_rail}, {"rail_planes", Wiring::rail_planes}};
const Choices<Cable> kCables{{"board", Cable::board},
                             {"backplane", Cable::backplane},
                             {"copper", Cable::copper},
                             {"optical", Cable::optical},
                             {"unknown", Cable::unknown}};
// What describes each shape beside its topology.
const Choices<std::vector<std::string>> kShapeFields{
    {"fat_tree", {"levels", "radix", "lanes", "leaf_endpoints", "uplinks", "spine_radix"}},
    {"dragonfly", {"routers", "endpoints_per_router", "global_ports", "groups"}},
    {"slim_fly", {"q", "endpoints_per_router"}},
    {"hyperx", {"sides", "endpoints_per_router", "lanes"}},
    {"full_mesh", {"sides"}},
    {"torus", {"sides"}}};

template <class Value>
Value choice(const YamlField& field, const Choices<Value>& choices) {
    const std::string name = field.text();
    if (const auto found = choices.find(name); found != choices.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& entry : choices) names.push_back(entry.first);
    if (!name.empty()) field.problem(fmt::format("one of {}", fmt::join(names, ", ")), "'" + name + "'");
    return {};
}

// Ports, sides and counts of a shape: products of two of them are whole numbers that fit an int.
constexpr int kMostPorts = 30'000, kMostEndpoints = 10'000'000;

int count(const YamlField& field, int most = kMostPorts) {
    const long long value = field.integer(1);
    if (value >= 1 && value <= most) return static_cast<int>(value);
    field.problem(fmt::format("a whole number from 1 to {}", most), fmt::format("{}", value));
    return 1;
}

void read(int& into, const YamlField& field) {
    if (field.exists()) into = count(field);
}

std::vector<int> sides(const YamlField& field) {
    std::vector<int> all;
    for (const YamlField& side : field.items()) all.push_back(count(side));
    return all;
}

Shape read_shape(const YamlField& field, const std::string& topology) {
    if (topology == "fat_tree") {
        FatTree s;
        read(s.levels, field["levels"]);
        read(s.radix, field["radix"]);
        read(s.lanes, field["lanes"]);
        read(s.leaf_endpoints, field["leaf_endpoints"]);
        read(s.uplinks, field["uplinks"]);
        read(s.spine_radix, field["spine_radix"]);
        return s;
    }
    if (topology == "dragonfly")
        return Dragonfly{count(field["routers"]), count(field["endpoints_per_router"]), count(field["global_ports"]),
                         count(field["groups"])};
    if (topology == "slim_fly") return SlimFly{count(field["q"]), count(field["endpoints_per_router"])};
    if (topology == "hyperx") {
        HyperX s{.sides = sides(field["sides"]), .endpoints_per_router = count(field["endpoints_per_router"])};
        read(s.lanes, field["lanes"]);
        return s;
    }
    if (topology == "full_mesh") return FullMesh{sides(field["sides"])};
    return Torus{sides(field["sides"])};
}

void read_source(const YamlField& field, std::string& kind, std::string& source) {
    kind = kind_of(field["kind"]);
    source = field["source"].text();
}

FabricLayerSpec read_layer(const YamlField& field, const PositiveFields& numbers) {
    FabricLayerSpec layer;
    field.allow_only({"shape", "wiring", "planes", "cable", "reduces", "bandwidth", "effective_bandwidth", "latency",
                      "hop", "switch_usd", "inter_switch_link_usd", "endpoint_link_usd", "switch_w",
                      "inter_switch_link_w", "endpoint_link_w"});
    const YamlField shape = field["shape"];
    if (!shape.is_map()) {
        shape.problem("a map with a topology", shape.is_null() ? "nothing" : "something else");
        return layer;
    }
    const std::string topology = shape["topology"].text();
    std::vector<std::string> fields = choice(shape["topology"], kShapeFields);
    if (!fields.empty()) {
        fields.insert(fields.end(), {"topology", "kind", "source"});
        shape.allow_only(fields);
        read_source(shape, layer.shape_kind, layer.shape_source);
        layer.shape = read_shape(shape, topology);
    }
    if (field["wiring"].exists()) layer.wiring = choice(field["wiring"], kWirings);
    if (layer.wiring == Wiring::rail_planes) layer.planes = count(field["planes"]);
    if (layer.wiring != Wiring::rail_planes && field["planes"].exists()) {
        if (FatTree* tree = std::get_if<FatTree>(&layer.shape))
            tree->planes = count(field["planes"]);
        else
            field["planes"].problem("this field belongs to fat trees, and to wiring rail_planes");
    }
    if (field["cable"].exists()) layer.cable = choice(field["cable"], kCables);
    if (field["reduces"].exists()) layer.reduces = field["reduces"].boolean();
    numbers.required(layer.bandwidth, field["bandwidth"]);
    numbers.optional(layer.latency, field["latency"]);
    const auto if_given = [&](auto& into, const char* name) {
        into.field = fmt::format("{}: {}.{}", field.file(), field.path(), name);
        if (field[name].exists()) numbers.optional(into, field[name]);
    };
    if_given(layer.effective_bandwidth, "effective_bandwidth");
    if_given(layer.hop, "hop");
    if_given(layer.prices.switch_usd, "switch_usd");
    if_given(layer.prices.inter_switch_link_usd, "inter_switch_link_usd");
    if_given(layer.prices.endpoint_link_usd, "endpoint_link_usd");
    if_given(layer.prices.switch_w, "switch_w");
    if_given(layer.prices.inter_switch_link_w, "inter_switch_link_w");
    if_given(layer.prices.endpoint_link_w, "endpoint_link_w");
    if (layer.effective_bandwidth.value && layer.bandwidth.value &&
        *layer.effective_bandwidth.value > *layer.bandwidth.value)
        field["effective_bandwidth"]["value"].problem("at most the bandwidth", "more");
    return layer;
}

// What the layer joins at once: a domain, all endpoints, or those of one plane's rails; each in the shape's order.
std::vector<std::vector<int>> joined(const FabricSpec& spec, const FabricLayerSpec& layer, LinkClass link_class) {
    std::vector<std::vector<int>> groups;
    if (link_class == LinkClass::scale_up) {
        groups.resize(static_cast<std::size_t>(spec.endpoints / spec.domain));
        for (int e = 0; e < spec.endpoints; ++e) groups[static_cast<std::size_t>(e / spec.domain)].push_back(e);
        return groups;
    }
    groups.resize(static_cast<std::size_t>(layer.planes));
    for (int rail = 0; rail < spec.domain; ++rail)
        for (int e = rail; e < spec.endpoints; e += spec.domain)
            groups[static_cast<std::size_t>(rail % layer.planes)].push_back(e);
    if (layer.wiring == Wiring::by_domain) std::sort(groups[0].begin(), groups[0].end());
    return groups;
}

void add_layer(Fabric& fabric, const FabricSpec& spec, const FabricLayerSpec& layer, LinkClass link_class) {
    const Bandwidth endpoint =
        layer.effective_bandwidth.value ? *layer.effective_bandwidth.value : layer.bandwidth.get();
    const Wire lane{
        .link_class = link_class, .bandwidth = endpoint / lanes_of_an_endpoint(layer.shape), .cable = layer.cable};
    FabricLayer& into = fabric.layer(link_class);
    into.latency = layer.latency;
    into.hop = layer.hop;
    into.reduces = layer.reduces;
    int plane = 0;
    for (const std::vector<int>& group : joined(spec, layer, link_class)) {
        std::visit([&](const auto& shape) { join(fabric, group, shape, lane, plane); }, layer.shape);
        if (link_class == LinkClass::scale_out) ++plane;
    }
}

}  // namespace

Fabric build(const FabricSpec& spec) {
    Fabric fabric(spec.name, spec.endpoints, spec.domain);
    if (spec.scale_up) add_layer(fabric, spec, *spec.scale_up, LinkClass::scale_up);
    if (spec.scale_out) add_layer(fabric, spec, *spec.scale_out, LinkClass::scale_out);
    return fabric;
}

FabricSpec read_fabric(const YamlField& root) {
    const PositiveFields numbers(root.file());
    FabricSpec spec;
    spec.file = root.file();
    root.allow_only({"name", "size", "scale_up", "scale_out"});
    spec.name = root["name"].text();
    const YamlField size = root["size"];
    size.allow_only({"endpoints", "domain", "kind", "source"});
    spec.endpoints = count(size["endpoints"], kMostEndpoints);
    spec.domain = count(size["domain"], kMostEndpoints);
    read_source(size, spec.size_kind, spec.size_source);
    if (spec.endpoints % spec.domain != 0)
        size["domain"].problem(fmt::format("a divisor of the {} endpoints", spec.endpoints),
                               fmt::format("{}", spec.domain));
    if (!root["scale_up"].is_null()) spec.scale_up = read_layer(root["scale_up"], numbers);
    if (!root["scale_out"].is_null()) spec.scale_out = read_layer(root["scale_out"], numbers);
    if (!spec.scale_up && !spec.scale_out) root.problem("scale_up or scale_out", "neither");
    if (spec.scale_up && spec.scale_up->wiring != Wiring::by_domain)
        root["scale_up"]["wiring"].problem("wiring by_domain inside a domain", "another");
    if (spec.scale_out && spec.scale_out->planes > spec.domain)
        root["scale_out"]["planes"].problem(fmt::format("at most the {} endpoints of a domain", spec.domain),
                                            fmt::format("{}", spec.scale_out->planes));
    return spec;
}

FabricSpec read_fabric(const std::string& file) {
    Problems problems;
    const FabricSpec spec = read_fabric(YamlField(load_yaml(file), file, "", problems));
    problems.throw_if_any();
    try {
        build(spec);
    } catch (const InputError& error) {
        throw InputError(fmt::format("{}: {}", file, error.what()));
    }
    return spec;
}

}  // namespace strata
