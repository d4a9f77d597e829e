#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/verbs.hpp"
#include "hwmodels/catalog.hpp"
#include "hwmodels/yaml_field.hpp"
#include "sim/model/accounting.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// A number with where it comes from; null stays null.
template <class T>
Json sourced(const Sourced<T>& number) {
    Json json{{"value", nullptr}, {"kind", number.kind}, {"source", number.source}};
    if constexpr (std::is_same_v<T, double>) {
        if (number.value) json["value"] = *number.value;
    } else {
        if (number.value) json["value"] = number.value->si();
    }
    return json;
}

Json json_of(const AcceleratorSpec& part) {
    return {{"name", part.name},
            {"vendor", part.vendor},
            {"bf16_flops", sourced(part.bf16)},
            {"fp8_flops", sourced(part.fp8)},
            {"fp4_flops", sourced(part.fp4)},
            {"memory_bytes", sourced(part.memory_capacity)},
            {"memory_bytes_per_s", sourced(part.memory_bandwidth)},
            {"power_w", sourced(part.power_w)},
            {"scale_up_bytes_per_s", sourced(part.scale_up_bandwidth)}};
}
Json json_of(const MemorySpec& part) {
    return {{"name", part.name},
            {"type", part.type},
            {"bytes_per_s", sourced(part.bandwidth)},
            {"bytes", sourced(part.capacity)},
            {"read_latency_s", sourced(part.read_latency)},
            {"random_read_iops", sourced(part.random_read_iops)}};
}
Json json_of(const LinkSpec& part) {
    return {{"name", part.name},
            {"bytes_per_s", sourced(part.bandwidth)},
            {"effective_bytes_per_s", sourced(part.effective_bandwidth)},
            {"latency_s", sourced(part.latency)}};
}
Json json_of(const SystemSpec& system) {
    return {{"name", system.name},
            {"accelerator", system.accelerator},
            {"accelerators_per_node", sourced(system.accelerators_per_node)},
            {"nodes", sourced(system.nodes)},
            {"host_memory", system.host_memory},
            {"nvme", system.nvme},
            {"host_link", system.host_link},
            {"scale_up_link", system.scale_up_link},
            {"scale_out_link", system.scale_out_link}};
}
Json json_of(const Model& model) {
    const ParameterCount count = parameters(model);
    return {{"name", model.name},
            {"parameters", count.total()},
            {"backbone_parameters", count.backbone()},
            {"active_parameters", count.active_decode},
            {"active_parameters_prefill", count.active_prefill},
            {"kv_bytes_per_token", kv_bytes_per_token(model)},
            {"engram_rows", engram_rows(model)}};
}

std::vector<Json> entries(const std::string& kind, const std::string& root) {
    std::vector<Json> all;
    if (kind == "models") {
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(fs::path(root) / "scenarios" / "models"))
            files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        for (const fs::path& file : files) all.push_back(json_of(load_model(file.string())));
        return all;
    }
    const Catalog catalog(fs::path(root) / "hwmodels" / "catalog");
    const auto take = [&](const auto& parts) {
        for (const auto& entry : parts) all.push_back(json_of(entry.second));
    };
    if (kind == "systems") {
        take(catalog.systems());
    } else {
        take(catalog.accelerators());
        take(catalog.memories());
        take(catalog.links());
    }
    return all;
}

void print(const Json& entry) {
    for (const auto& [key, value] : entry.items()) {
        if (value.is_object())
            std::cout << fmt::format("  {:<24} {:<12} {}{}\n", key, value["value"].dump(),
                                     value["kind"].get<std::string>(),
                                     value["source"] == "" ? "" : ": " + value["source"].get<std::string>());
        else
            std::cout << fmt::format("  {:<24} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
    }
}

}  // namespace

int catalog_verb(const std::string& kind, const std::string& name, bool json, const std::string& root) {
    const std::vector<std::string> kinds =
        kind.empty() ? std::vector<std::string>{"parts", "systems", "models"} : std::vector<std::string>{kind};
    Json listed = Json::array();
    std::vector<std::string> names;
    for (const std::string& one : kinds)
        for (const Json& entry : entries(one, root)) {
            names.push_back(entry["name"]);
            if (name.empty() || name == names.back()) listed.push_back(entry);
        }
    if (!name.empty() && listed.empty()) {
        const auto meant = nearest_name(name, names);
        throw InputError(fmt::format("no '{}' among the {}{}", name, fmt::join(kinds, ", "),
                                     meant ? "; did you mean '" + *meant + "'?" : ""));
    }
    if (json)
        std::cout << (name.empty() ? listed : listed.front()).dump(1) << '\n';
    else if (!name.empty())
        print(listed.front());
    else
        for (const Json& entry : listed) std::cout << entry["name"].get<std::string>() << '\n';
    return 0;
}

}  // namespace strata
