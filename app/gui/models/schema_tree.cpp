#include "app/gui/models/schema_tree.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <nlohmann/json.hpp>

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

const Json& referred(const Json& schema, const Json& node) {
    if (!node.contains("$ref")) return node;
    const std::string target = node["$ref"];
    return referred(schema, schema.at(Json::json_pointer(target.substr(1))));
}

std::string shown(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// The form of a value that says most: of choices the one with fields, else the one with a range or an enum.
const Json& plainest(const Json& schema, const Json& given, const char* key) {
    const Json& node = referred(schema, given);
    if (node.contains(key) || !node.contains("oneOf")) return node;
    for (const Json& choice : node["oneOf"])
        if (referred(schema, choice).contains(key)) return referred(schema, choice);
    return node;
}

std::string range_of(const Json& node) {
    const auto bound = [&](const char* key, const char* format) {
        return node.contains(key) ? fmt::format(fmt::runtime(format), shown(node[key])) : std::string();
    };
    const std::string low = bound("minimum", "{} <= ") + bound("exclusiveMinimum", "{} < ");
    const std::string high = bound("maximum", " <= {}") + bound("exclusiveMaximum", " < {}");
    return low.empty() && high.empty() ? "" : fmt::format("{}x{}", low, high);
}

// Where a value may be a number alone or one with a note, the note is no field of the form: the text has it.
bool is_setting(const Json& properties) { return properties.contains("value") && properties.contains("note"); }

void add_fields(const Json& schema, const Json& given, SchemaField& group) {
    const Json& node = plainest(schema, given, "properties");
    if (!node.contains("properties") || is_setting(node["properties"])) return;
    const Json required = node.value("required", Json::array());
    for (const auto& [name, property] : node["properties"].items()) {
        const Json& full = referred(schema, property);
        const auto said = [&](const char* key) -> std::string {
            return property.contains(key) ? shown(property[key])
                   : full.contains(key)   ? shown(full[key])
                                          : std::string();
        };
        auto field = std::make_unique<SchemaField>();
        field->name = name;
        field->path = group.path.empty() ? name : fmt::format("{}.{}", group.path, name);
        field->description = said("description");
        field->unit = said("unit") == "1" ? "" : said("unit");
        field->standard = said("default") == "null" ? "" : said("default");
        const Json& examples =
            property.contains("examples") ? property["examples"] : full.value("examples", Json::array());
        if (!examples.empty()) field->example = shown(examples.front());
        field->range = range_of(plainest(schema, property, "minimum"));
        if (field->range.empty()) field->range = range_of(plainest(schema, property, "exclusiveMinimum"));
        for (const Json& choice : plainest(schema, property, "enum").value("enum", Json::array()))
            field->choices.push_back(shown(choice));
        if (full.value("type", Json()) == "boolean") field->choices = {"true", "false"};
        field->required = std::find(required.begin(), required.end(), name) != required.end();
        field->parent = &group;
        field->row = static_cast<int>(group.fields.size());
        if (std::count(field->path.begin(), field->path.end(), '.') < 5) add_fields(schema, property, *field);
        group.fields.push_back(std::move(field));
    }
}

}  // namespace

std::unique_ptr<SchemaField> schema_tree(const Json& schema) {
    auto root = std::make_unique<SchemaField>();
    add_fields(schema, schema, *root);
    return root;
}

}  // namespace strata
