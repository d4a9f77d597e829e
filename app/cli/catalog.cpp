#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
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
            {"memory_standard", part.memory_standard},
            {"memory_units", sourced(part.memory_units)},
            {"power_w", sourced(part.power_w)},
            {"idle_w", sourced(part.idle_w)},
            {"usd_per_hour_low", sourced(part.usd_per_hour_low)},
            {"usd_per_hour", sourced(part.usd_per_hour)},
            {"usd_per_hour_high", sourced(part.usd_per_hour_high)},
            {"purchase_usd", sourced(part.purchase_usd)},
            {"scale_up_bytes_per_s", sourced(part.scale_up_bandwidth)}};
}
Json json_of(const MemorySpec& part) {
    return {{"name", part.name},
            {"type", part.type},
            {"standard", part.standard},
            {"bytes_per_s", sourced(part.bandwidth)},
            {"bytes", sourced(part.capacity)},
            {"read_latency_s", sourced(part.read_latency)},
            {"random_read_iops", sourced(part.random_read_iops)}};
}
Json json_of(const LinkSpec& part) {
    return {{"name", part.name},
            {"bytes_per_s", sourced(part.bandwidth)},
            {"effective_bytes_per_s", sourced(part.effective_bandwidth)},
            {"latency_s", sourced(part.latency)},
            {"pcie", part.pcie},
            {"lanes", sourced(part.lanes)}};
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
            {"scale_out_link", system.scale_out_link},
            {"node_power_w", sourced(system.node_power_w)},
            {"node_usd", sourced(system.node_usd)}};
}
Json by_component(const ParameterCount& count) {
    return {{"embedding", count.embedding},
            {"head", count.head},
            {"attention", count.attention},
            {"dense", count.dense},
            {"router", count.router},
            {"shared_experts", count.shared},
            {"routed_experts", count.routed},
            {"residual", count.residual},
            {"engram_projection", count.engram_projection},
            {"engram_tables", count.engram_tables}};
}

// All of the main model at one precision, scales included, and as its own mix of precisions stores it.
Json bytes_by_precision(const Model& model, double count) {
    const WeightBytes stored = weight_bytes(model);
    return {{"bf16", count * bytes_per_element(Precision::bf16)},
            {"fp8_scale_1x128", count * bytes_per_element(Precision::fp8_tile)},
            {"fp8_scale_128x128", count * bytes_per_element(Precision::fp8_block)},
            {"fp4_scale_1x32", count * bytes_per_element(Precision::fp4_block)},
            {"fp4_scale_1x16", count * bytes_per_element(Precision::nvfp4)},
            {"as_stored", (stored.experts + stored.engram + stored.other).si()},
            {"mtp_as_stored", stored.mtp.si()}};
}

Json json_of(const Model& model) {
    const ParameterCount count = parameters(model);
    return {{"name", model.name},
            {"parameters", count.total()},
            {"backbone_parameters", count.backbone()},
            {"active_parameters", count.active_decode},
            {"active_parameters_prefill", count.active_prefill},
            {"mtp_parameters", mtp_parameters(model).total()},
            {"parameters_of", by_component(count)},
            {"weight_bytes", bytes_by_precision(model, count.total())},
            {"decode_flops_per_token",
             {{"4k", decode_flops(model, 4096)},
              {"128k", decode_flops(model, 131072)},
              {"1M", decode_flops(model, 1048576)}}},
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

// What a number's name says of its unit; none: a count.
std::string_view unit_of(const std::string& key) {
    const auto ends = [&](std::string_view end) {
        return key.size() >= end.size() && key.compare(key.size() - end.size(), end.size(), end) == 0;
    };
    if (ends("bytes_per_s")) return "B/s";
    if (ends("bytes") || ends("bytes_per_token")) return "B";
    if (ends("flops")) return "FLOPS";
    if (ends("flops_per_token")) return "FLOP";
    if (ends("latency_s")) return "s";
    return ends("power_w") ? "W" : "";
}

// 3350000000000 B/s -> "3.35 TB/s", 384006168 rows -> "384,006,168".
std::string readable(double value, std::string_view unit) {
    if (unit.empty() && value == std::floor(value)) {
        const std::string plain = fmt::format("{:.0f}", value);
        std::string digits;
        for (std::size_t i = 0; i < plain.size(); ++i) {
            if (i > 0 && (plain.size() - i) % 3 == 0) digits += ',';
            digits += plain[i];
        }
        return digits;
    }
    static constexpr std::array<std::pair<double, const char*>, 8> prefixes{
        {{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "u"}}};
    for (const auto& [factor, prefix] : prefixes)
        if (value >= factor) return fmt::format("{:.4g} {}{}", value / factor, prefix, unit);
    return value > 0 ? fmt::format("{:.4g} n{}", value / 1e-9, unit) : fmt::format("{:g} {}", value, unit);
}

std::string readable(const Json& value, std::string_view unit) {
    if (value.is_null()) return "unknown";
    if (value.is_string()) return value == "" ? "none" : value.get<std::string>();
    if (value.is_number()) return readable(value.get<double>(), unit);
    std::string all;
    for (const Json& item : value) all += (all.empty() ? "" : "; ") + readable(item, unit);
    return all.empty() ? "none" : all;
}

void print(const Json& entry) {
    for (const auto& [key, value] : entry.items()) {
        const std::string_view unit = unit_of(key);
        if (!value.is_object()) {
            std::cout << fmt::format("{:<26} {}\n", key, readable(value, unit));
        } else if (value.contains("kind")) {
            std::cout << fmt::format("{:<26} {:<14} {}{}\n", key, readable(value["value"], unit),
                                     value["kind"].get<std::string>(),
                                     value["source"] == "" ? "" : ": " + value["source"].get<std::string>());
        } else {
            std::cout << key << '\n';
            for (const auto& [part, number] : value.items())
                std::cout << fmt::format("  {:<24} {:>20}\n", part, readable(number, unit));
        }
    }
}

// The few numbers that tell an entry from its neighbours, under a heading where their kind begins.
void print_list(const Json& listed) {
    std::string heading;
    for (const Json& entry : listed) {
        std::string names = fmt::format("{:<28}", "name");
        std::string line = fmt::format("{:<28}", entry["name"].get<std::string>());
        for (const char* key : {"memory_bytes", "memory_bytes_per_s", "bytes_per_s", "parameters", "active_parameters",
                                "kv_bytes_per_token", "accelerator", "accelerators_per_node"}) {
            if (!entry.contains(key)) continue;
            const Json& value = entry[key].is_object() ? entry[key]["value"] : entry[key];
            names += fmt::format(" {:>22}", key);
            line += fmt::format(" {:>22}", readable(value, unit_of(key)));
        }
        if (names != heading) std::cout << names << '\n';
        heading = names;
        std::cout << line << '\n';
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
        print_list(listed);
    return 0;
}

}  // namespace strata
