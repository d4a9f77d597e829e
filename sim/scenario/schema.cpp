#include "sim/scenario/schema.hpp"

#include <fstream>
#include <set>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

Json load(const std::string& file) {
    std::ifstream stream(file);
    if (!stream) throw InputError(file + ": no such schema. Set STRATA_ROOT to the folder that holds scenarios/schema");
    return Json::parse(stream);
}

void point_inside(Json& node, const std::string& other_file) {
    if (node.is_object() && node.contains("$ref")) {
        const std::string target = node["$ref"];
        if (target.rfind(other_file, 0) == 0) node["$ref"] = target.substr(other_file.size());
    }
    if (node.is_structured())
        for (Json& child : node) point_inside(child, other_file);
}

}  // namespace

Json schema_of(const std::string& kind, const std::string& schema_folder) {
    static const std::set<std::string> kinds{"scenario", "model", "measurement", "precision", "report", "results"};
    if (!kinds.count(kind))
        throw InputError("schema", "scenario, model, measurement, precision, report or results", "'" + kind + "'");
    Json schema = load(schema_folder + "/" + kind + ".schema.json");
    if (kind != "scenario") return schema;
    point_inside(schema, "model.schema.json");
    const Json model = load(schema_folder + "/model.schema.json");
    for (const auto& [name, definition] : model["definitions"].items()) {
        if (schema["definitions"].contains(name)) throw std::logic_error("both schemas define " + name);
        schema["definitions"][name] = definition;
    }
    return schema;
}

}  // namespace strata
