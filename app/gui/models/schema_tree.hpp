// The fields of a scenario as a tree, from its JSON Schema: what a form is made of. Nothing about a field is written
// here that the schema does not say.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace strata {

struct SchemaField {
    std::string name, path;                            // "rho", "model.rho"
    std::string description, unit, standard, example;  // standard: what holds if it is not given
    std::string range;                                 // "0 < x <= 1"
    std::vector<std::string> choices{};                // of an enum
    bool required = false;
    const SchemaField* parent = nullptr;
    int row = 0;
    std::vector<std::unique_ptr<SchemaField>> fields{};  // not empty: a group

    bool is_group() const { return !fields.empty(); }
};

// The root, whose fields are name, model, platform, ... in the schema's order.
std::unique_ptr<SchemaField> schema_tree(const nlohmann::ordered_json& schema);

}  // namespace strata
