#include "hwmodels/measurement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"
#include "hwmodels/json_count.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "strata/measurement/1";

Json json_of(const MeasuredMachine& machine) {
    return {{"cpu", machine.cpu},
            {"cores", machine.cores},
            {"memory_bytes", machine.memory.si()},
            {"cache_bytes", Json(machine.cache_bytes)},
            {"kernel", machine.kernel},
            {"huge_pages", machine.huge_pages}};
}

MeasuredMachine machine_of(const Json& json) {
    return {.cpu = json.at("cpu"),
            .cores = count_in(json, "cores"),
            .memory = Bytes(json.at("memory_bytes")),
            .cache_bytes = json.at("cache_bytes"),
            .kernel = json.at("kernel"),
            .huge_pages = json.at("huge_pages")};
}

Measurement measurement_of(const Json& json) {
    if (const std::string schema = json.at("schema"); schema != kSchema)
        throw InputError("schema", fmt::format("'{}'", kSchema), "'" + schema + "'");
    Measurement read{.what = json.at("what"),
                     .parameters = {},
                     .metrics = {},
                     .unavailable = json.value("unavailable", ""),
                     .repeats = count_in(json, "repeats"),
                     .machine = machine_of(json.at("machine")),
                     .when = json.at("when"),
                     .strata = json.at("strata"),
                     .notes = json.value("notes", std::vector<std::string>())};
    for (const auto& [name, value] : json.at("parameters").items()) {
        if (value.is_boolean())
            read.parameters[name] = value.get<bool>();
        else if (value.is_number())
            read.parameters[name] = value.get<double>();
        else
            read.parameters[name] = value.get<std::string>();
    }
    for (const auto& [name, value] : json.at("metrics").items())
        read.metrics[name] = {.median = value.at("median"), .min = value.at("min"), .max = value.at("max")};
    return read;
}

}  // namespace

Repeats repeats_of(std::vector<double> samples) {
    assert(!samples.empty());
    std::sort(samples.begin(), samples.end());
    const std::size_t middle = samples.size() / 2;
    const double median = samples.size() % 2 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
    return {.median = median, .min = samples.front(), .max = samples.back()};
}

std::string to_line(const Measurement& measurement) {
    Json json{{"schema", kSchema},
              {"what", measurement.what},
              {"origin", "measured"},
              {"parameters", Json::object()},
              {"metrics", Json::object()}};
    for (const auto& [name, value] : measurement.parameters)
        std::visit([&json, &key = name](const auto& held) { json["parameters"][key] = held; }, value);
    for (const auto& [name, spread] : measurement.metrics)
        json["metrics"][name] = {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
    if (!measurement.unavailable.empty()) json["unavailable"] = measurement.unavailable;
    json["repeats"] = measurement.repeats;
    json["machine"] = json_of(measurement.machine);
    json["when"] = measurement.when;
    json["strata"] = measurement.strata;
    json["notes"] = measurement.notes;
    return json.dump();
}

std::string parameters_text(const Measurement& measurement) {
    std::string all;
    for (const auto& [name, value] : measurement.parameters)
        std::visit([&all, &key = name](
                       const auto& held) { all += fmt::format("{}{} {}", all.empty() ? "" : ", ", key, held); },
                   value);
    return all;
}

std::vector<Measurement> read_measurements(const std::string& file) {
    std::ifstream stream(file);
    if (!stream || std::filesystem::is_directory(file))
        throw InputError(file + ": no such record of measurements. 'strata measure host --out " + file +
                         "' writes one");
    std::vector<Measurement> all;
    int number = 0;
    for (std::string line; std::getline(stream, line);) {
        ++number;
        if (line.empty()) continue;
        try {
            all.push_back(measurement_of(Json::parse(line)));
            all.back().line = number;
        } catch (const Json::parse_error& error) {
            throw InputError(fmt::format("{}:{}: broken JSON: {}", file, number, error.what()));
        } catch (const std::exception& error) {
            throw InputError(fmt::format("{}:{}: not a record of a measurement: {}", file, number, error.what()));
        }
    }
    return all;
}

}  // namespace strata
