#include "sim/scenario/fabric_field.hpp"

#include <fmt/format.h>

namespace strata {

namespace {

constexpr const char* kSetHere = "set in the scenario";

YAML::Node assumed(YAML::Node map) {
    map["kind"] = "assumed";
    map["source"] = map["note"] ? YAML::Clone(map["note"]) : YAML::Node(kSetHere);
    return map;
}

// A number as the catalogue writes it.
YAML::Node sourced(const YamlField& number) {
    if (number.is_map()) {
        number.allow_only({"value", "note"});
        return assumed(YAML::Clone(number.node()));
    }
    YAML::Node map;
    map["value"] = YAML::Clone(number.node());
    return assumed(map);
}

bool is_number(const std::string& name) {
    return name != "shape" && name != "wiring" && name != "planes" && name != "cable" && name != "reduces";
}

// A bandwidth that is set alone keeps the share of it that was measured, so that a sweep passes through the part.
void keep_measured_share(YAML::Node layer, const YAML::Node& before, const YamlField& set) {
    if (!before["effective_bandwidth"] || !set["bandwidth"].exists() || set["effective_bandwidth"].exists()) return;
    const YAML::Node was = before["bandwidth"]["value"], measured = before["effective_bandwidth"]["value"];
    const YAML::Node now = layer["bandwidth"]["value"];
    if (!now || !now.IsScalar()) return;
    const std::string where = set["bandwidth"].where();
    const double share = parse_bandwidth(measured.Scalar(), where) / parse_bandwidth(was.Scalar(), where);
    YAML::Node kept;
    kept["value"] = fmt::format("{:.10g} GB/s", share * parse_bandwidth(now.Scalar(), where).si() / 1e9);
    kept["note"] = "the measured share of the bandwidth is kept";
    layer["effective_bandwidth"] = assumed(kept);
}

bool same_topology(const YAML::Node& base, const YamlField& set) {
    if (!base || !base.IsMap()) return false;
    return !set.is_map() || !set["topology"].exists() || set["topology"].node().Scalar() == base["topology"].Scalar();
}

// Sets in a shape what a scenario says; another topology starts anew.
YAML::Node shape_with(const YAML::Node& base, const YamlField& set) {
    YAML::Node shape = same_topology(base, set) ? YAML::Clone(base) : YAML::Node(YAML::NodeType::Map);
    for (const std::string& key : set.keys()) shape[key] = YAML::Clone(set.node()[key]);
    return assumed(shape);
}

YAML::Node layer_with(const YAML::Node& base, const YamlField& set) {
    if (!set.is_map()) return YAML::Clone(set.node());
    YAML::Node layer = base && base.IsMap() ? YAML::Clone(base) : YAML::Node(YAML::NodeType::Map);
    for (const std::string& key : set.keys()) {
        const YamlField field = set[key];
        layer[key] = key == "shape" && field.is_map() ? shape_with(layer[key], field)
                     : is_number(key)                 ? sourced(field)
                                                      : YAML::Clone(field.node());
    }
    if (base && base.IsMap()) {
        keep_measured_share(layer, base, set);
        // Ports in several planes were those of the topology that it had.
        const bool rails = layer["wiring"] && layer["wiring"].Scalar() == "rail_planes";
        if (!same_topology(base["shape"], set["shape"]) && !rails && !set["planes"].exists()) layer.remove("planes");
    }
    if (!layer["latency"]) {  // nobody says: a time that needs it is refused
        layer["latency"]["value"] = YAML::Node(YAML::NodeType::Null);
        layer["latency"]["kind"] = "unknown";
    }
    return layer;
}

YAML::Node fabric_with(const YAML::Node& base, const YamlField& set) {
    YAML::Node fabric = base.IsMap() ? YAML::Clone(base) : YAML::Node(YAML::NodeType::Map);
    if (!fabric["name"]) fabric["name"] = set.path();
    bool changed = false;
    for (const std::string& key : set.keys()) {
        if (key == "part") continue;
        changed = true;
        const YamlField field = set[key];
        if (key == "scale_up" || key == "scale_out") {
            fabric[key] = layer_with(fabric[key], field);
        } else if (key == "size" && field.is_map()) {
            for (const std::string& count : field.keys()) fabric[key][count] = YAML::Clone(field.node()[count]);
            assumed(fabric[key]);
        } else {
            fabric[key] = YAML::Clone(field.node());
        }
    }
    if (changed && set["part"].exists() && !set["name"].exists())
        fabric["name"] = fabric["name"].Scalar() + " (modified)";
    return fabric;
}

}  // namespace

FabricSpec read_fabric_field(const YamlField& field, const Catalog& catalog) {
    if (!field.exists()) {
        field.problem("a fabric: the name of one, or a map that describes one", "nothing");
        return {};
    }
    try {
        if (!field.is_map()) return read_fabric(catalog.fabric_file(field.text()));
        const YamlField part = field["part"];
        const YAML::Node base = part.exists() ? load_yaml(catalog.fabric_file(part.text())) : YAML::Node();
        return read_fabric(field.holding(fabric_with(base, field)));
    } catch (const InputError& error) {
        (field.is_map() && field["part"].exists() ? field["part"] : field).problem(error.what());
        return {};
    }
}

}  // namespace strata
