#include "sim/result/run_json.hpp"

namespace strata {

namespace {

// Without a band: null.
nlohmann::ordered_json to_json(const CriticalPath& path) {
    nlohmann::ordered_json json{{"device", path.device}, {"times", nlohmann::ordered_json::array()}};
    for (const PathTime& time : path.times) {
        nlohmann::ordered_json entry{{"family", time.family}, {"provenance", time.origin}, {"ms", time.ms}};
        const bool known = time.exact() || time.has_band();
        entry["p10_ms"] = known ? nlohmann::ordered_json(time.p10_ms) : nullptr;
        entry["p90_ms"] = known ? nlohmann::ordered_json(time.p90_ms) : nullptr;
        json["times"].push_back(std::move(entry));
    }
    return json;
}

CriticalPath path_from_json(const nlohmann::ordered_json& json) {
    CriticalPath path{.device = json.at("device"), .times = {}};
    for (const auto& entry : json.at("times")) {
        const double ms = entry.at("ms");
        const auto end = [&](const char* name) { return entry.at(name).is_null() ? ms : entry.at(name).get<double>(); };
        path.times.push_back({.family = entry.at("family"),
                              .origin = entry.at("provenance"),
                              .ms = ms,
                              .p10_ms = end("p10_ms"),
                              .p90_ms = end("p90_ms")});
    }
    return path;
}

}  // namespace

nlohmann::ordered_json to_json(const Run& run) {
    if (run.accessed)
        return {{"engine", run.engine},
                {"metrics", run.metrics},
                {"part", run.accessed->part},
                {"pattern", run.accessed->pattern},
                {"row_bytes", run.accessed->row_bytes},
                {"load", run.accessed->load},
                {"outstanding", run.accessed->outstanding},
                {"peak_GBps", run.accessed->peak_GBps},
                {"provenance", run.accessed->origin}};
    nlohmann::ordered_json utilisation;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        utilisation[std::string(kLaneNames[lane])] = run.utilisation[lane];
    nlohmann::ordered_json json{{"engine", run.engine},
                                {"metrics", run.metrics},
                                {"bottleneck", run.bottleneck},
                                {"utilisation", utilisation},
                                {"share_of_compute_by_origin", run.share_of_compute}};
    for (const auto& [name, time] : run.components)
        json["component_ms"][name] = {{"memory", time.memory},
                                      {"arithmetic", time.arithmetic},
                                      {"overhead", time.overhead},
                                      {"exchange", time.exchange},
                                      {"fetch", time.fetch}};
    for (const ResourceUse& use : run.resources)
        json["resources"][use.name] = {
            {"busy", use.busy}, {"bytes", use.bytes.si()}, {"queued_us", use.queued.si() * 1e6}};
    if (!run.absent.empty()) json["absent"] = run.absent;
    if (run.path) json["critical_path"] = to_json(*run.path);
    return json;
}

nlohmann::ordered_json to_json(const Binding& binding) {
    const auto listed = [](const std::vector<Gain>& gains) {
        nlohmann::ordered_json list = nlohmann::ordered_json::array();
        for (const Gain& gain : gains) {
            nlohmann::ordered_json set = nlohmann::ordered_json::object();
            for (const auto& [path, value] : gain.settings) set[path] = value;
            list.push_back({{"resource", gain.resource}, {"gain", gain.gain}, {"elasticity", gain.elasticity}});
            if (!gain.obstacle.empty()) list.back()["obstacle"] = gain.obstacle;
            list.back()["set"] = set;
        }
        return list;
    };
    nlohmann::ordered_json json{
        {"metric", binding.metric}, {"base", binding.base}, {"by", binding.by}, {"gains", listed(binding.gains)}};
    if (!binding.pairs.empty()) json["pairs"] = listed(binding.pairs);
    if (!binding.unknown.empty()) json["unknown"] = binding.unknown;
    return json;
}

Run run_from_json(const nlohmann::ordered_json& json) {
    Run run;
    run.engine = json.at("engine");
    run.metrics = json.at("metrics").get<std::map<std::string, double>>();
    if (json.contains("pattern")) {
        run.accessed = Accessed{.part = json.at("part"),
                                .pattern = json.at("pattern"),
                                .peak_GBps = json.at("peak_GBps"),
                                .row_bytes = json.at("row_bytes"),
                                .load = json.at("load"),
                                .outstanding = json.at("outstanding"),
                                .origin = json.at("provenance")};
        return run;
    }
    run.share_of_compute = json.at("share_of_compute_by_origin").get<std::map<std::string, double>>();
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        run.utilisation[lane] = json.at("utilisation").at(std::string(kLaneNames[lane]));
    run.bottleneck = json.at("bottleneck");
    if (json.contains("component_ms"))
        for (const auto& [name, time] : json.at("component_ms").items())
            run.components[name] = {.memory = time.at("memory"),
                                    .arithmetic = time.at("arithmetic"),
                                    .overhead = time.at("overhead"),
                                    .exchange = time.at("exchange"),
                                    .fetch = time.at("fetch")};
    if (json.contains("absent")) run.absent = json.at("absent").get<std::map<std::string, std::string>>();
    if (json.contains("critical_path")) run.path = path_from_json(json.at("critical_path"));
    if (!json.contains("resources")) return run;
    for (const auto& [name, use] : json.at("resources").items())
        run.resources.push_back({.name = name,
                                 .busy = use.at("busy"),
                                 .bytes = Bytes(use.at("bytes")),
                                 .queued = Seconds(use.at("queued_us").get<double>() * 1e-6)});
    return run;
}

}  // namespace strata
