#include "sim/scenario/field_unit.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

const Json& referred(const Json& schema, const Json& node) {
    if (!node.contains("$ref")) return node;
    const std::string target = node["$ref"];  // "#/definitions/..."
    return referred(schema, schema.at(Json::json_pointer(target.substr(1))));
}

// The property of a node, wherever in its parts and choices it stands; null: nowhere.
const Json* property(const Json& schema, const Json& given, const std::string& name) {
    const Json& node = referred(schema, given);
    if (node.contains("properties") && node["properties"].contains(name)) return &node["properties"][name];
    for (const char* parts : {"allOf", "oneOf", "anyOf"})
        if (node.contains(parts))
            for (const Json& part : node[parts])
                if (const Json* found = property(schema, part, name)) return found;
    return nullptr;
}

}  // namespace

std::string unit_of(const nlohmann::ordered_json& schema, const std::string& path) {
    const Json* node = &schema;
    std::istringstream parts(path);
    for (std::string part; node && std::getline(parts, part, '.');) node = property(schema, *node, part);
    if (!node) return "";
    const Json& leaf = node->contains("unit") ? *node : referred(schema, *node);
    const std::string unit = leaf.value("unit", "");
    // A list of units: values say theirs. 1 and counts of what the field is named after need none.
    return unit.find(',') == std::string::npos && unit != "1" ? unit : "";
}

}  // namespace strata
