#include "sim/result/run_json.hpp"

namespace strata {

nlohmann::ordered_json to_json(const Run& run) {
    if (run.accessed)
        return {{"engine", run.engine},
                {"metrics", run.metrics},
                {"part", run.accessed->part},
                {"pattern", run.accessed->pattern},
                {"row_bytes", run.accessed->row_bytes},
                {"load", run.accessed->load},
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
    if (!json.contains("resources")) return run;
    for (const auto& [name, use] : json.at("resources").items())
        run.resources.push_back({.name = name,
                                 .busy = use.at("busy"),
                                 .bytes = Bytes(use.at("bytes")),
                                 .queued = Seconds(use.at("queued_us").get<double>() * 1e-6)});
    return run;
}

}  // namespace strata
