// A JSON Schema to hold documents against. Slow to compile: for the tests of schemas only.
#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace strata {

class Schema {
public:
    explicit Schema(const nlohmann::json& json) {
        valijson::SchemaParser parser;
        parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(json), schema_);
    }
    bool takes(const nlohmann::json& document) const {
        return valijson::Validator().validate(schema_, valijson::adapters::NlohmannJsonAdapter(document), nullptr);
    }
    std::string errors(const nlohmann::json& document) const {
        valijson::ValidationResults results;
        valijson::Validator().validate(schema_, valijson::adapters::NlohmannJsonAdapter(document), &results);
        std::string all;
        for (valijson::ValidationResults::Error error; results.popError(error);) {
            for (const std::string& step : error.context) all += step;
            all += fmt::format(": {}\n", error.description);
        }
        return all;
    }

private:
    valijson::Schema schema_;
};

}  // namespace strata
