#include "tests/properties/random_scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/model/precision.hpp"

namespace strata {

namespace {

std::string lines_of(const std::vector<std::pair<const char*, Fields>>& sections) {
    std::string text;
    for (const auto& [name, fields] : sections)
        if (!fields.empty()) text += fmt::format("{}: {}\n", name, fields.text());
    return text;
}

std::string bandwidth(double GBps) { return fmt::format("{:.0f} GB/s", GBps); }

Fields model_of(const RandomDeployment& on) {
    Fields fields;
    fields.set("preset", on.model.name);
    if (on.rho > 0) fields.set("rho", fmt::format("{:.3f}", on.rho));
    return fields.set("precision", on.precision);
}

Fields link_of(Dice& dice, double low, double high) {
    Fields link;
    const double raw = dice.between(low, high);
    if (dice.chance(0.7)) link.set("bandwidth", bandwidth(raw)).set("effective_bandwidth", bandwidth(0.8 * raw));
    if (dice.chance(0.4)) link.set("latency", fmt::format("{:.2f} us", dice.between(0.3, 10)));
    return link;
}

Fields accelerator_of(const RandomDeployment& on, Dice& dice) {
    Fields fields, memory, peak;
    if (on.accelerator->name != on.system->accelerator) fields.set("part", on.accelerator->name);
    if (dice.chance(0.15))
        memory.set("bandwidth", bandwidth(dice.of({1000, 3000, 8000})));  // few: banks are asked for each
    if (dice.chance(0.1)) memory.set("capacity", fmt::format("{} GB", dice.whole(64, 400)));
    if (dice.chance(0.1)) peak.set("bf16", fmt::format("{} TFLOPS", dice.about(50, 4000)));
    if (dice.chance(0.1)) peak.set("fp8", fmt::format("{} TFLOPS", dice.about(100, 8000)));
    fields.set("memory", memory).set("peak", peak);
    if (dice.chance(0.1)) fields.set("launch", fmt::format("{:.2f}", dice.share() + 0.05));
    return fields;
}

struct Beside {
    bool expanders = false, fabric = false;
};

Fields platform_of(const RandomDeployment& on, Dice& dice, const Beside& beside = {}) {
    const SystemSpec& system = *on.system;
    Fields fields, host;
    fields.set("system", system.name);
    if (on.nodes() > system.nodes.get()) fields.set("nodes", on.nodes());
    fields.set("accelerator", accelerator_of(on, dice));
    if (!system.host_memory.empty() && dice.chance(0.2)) host.set("memory_units", dice.of({4, 24}));
    if (!system.nvme.empty() && dice.chance(0.2)) host.set("nvme_units", dice.of({1, 2, 16}));
    if (beside.expanders) fields.set("cxl", "CXL_expander"), host.set("cxl_units", dice.of({2, 4, 16}));
    if (beside.fabric) fields.set("fabric", "{part: DeepSeek_H800_2048, size: {endpoints: 64, domain: 8}}");
    fields.set("host", host);
    if (!system.scale_up_link.empty() && dice.chance(0.15)) fields.set("scale_up_link", link_of(dice, 50, 2000));
    if (!system.scale_out_link.empty() && dice.chance(0.15)) fields.set("scale_out_link", link_of(dice, 10, 200));
    if (!system.host_link.empty() && dice.chance(0.15)) fields.set("host_link", link_of(dice, 10, 500));
    return fields;
}

Fields routing_of(Dice& dice) {
    Fields routing;
    const std::string law = dice.of({"balanced", "zipf", "zipf", "power_density"});
    routing.set("law", law);
    if (law != "balanced") routing.set("exponent", fmt::format("{:.2f}", dice.share()));
    if (dice.chance(0.3)) routing.set("half_life", dice.about(10, 10000));
    return routing.set("seed", dice.whole(0, 99));
}

Fields degrees_of(const RandomDeployment& on) {
    Fields fields;
    for (const auto& [name, degree] :
         {std::pair("tp", on.tp), {"cp", on.cp}, {"dp", on.dp}, {"ep", on.ep}, {"pp", on.pp}})
        if (degree > 1) fields.set(name, degree);
    return fields;
}

Fields experts_of(const RandomDeployment& on, Dice& dice, bool routing) {
    Fields fields;
    if (on.model.ffn.experts == 0) return fields;
    if (on.experts != "hbm") {
        fields.set("tier", on.experts);
        if (on.experts == "host" && dice.chance(0.2)) fields.set("compute", "host");
        if (dice.chance(0.5))
            fields.set("cached", dice.whole(0, 32)).set("zipf_exponent", fmt::format("{:.2f}", dice.share()));
    }
    if (dice.chance(0.2)) fields.set("redundant", on.ep * dice.whole(1, 2));
    if (!routing) return fields;
    if (dice.chance(0.6)) fields.set("order", dice.of({"linear", "random", "eplb", "eplb_global"}));
    return fields.set("learned", 2)
        .set("age", dice.about(1, 100));  // the default of 16 steps takes eight times as long
}

Fields engram_of(const RandomDeployment& on, Dice& dice) {
    Fields fields;
    if (!on.model.engram) return fields;
    if (on.engram != "hbm") fields.set("tier", on.engram);
    if (dice.chance(0.4)) fields.set("fetch", "synchronous");
    if (dice.chance(0.3))
        fields.set("hot_rows", dice.about(1000, 1e6)).set("zipf_exponent", fmt::format("{:.2f}", 1.2 * dice.share()));
    if (dice.chance(0.1))
        fields.set("domains", Fields()
                                  .set("tables", dice.whole(2, 8))
                                  .set("tokens", dice.about(1e5, 1e7))
                                  .set("swap", dice.of({"pause", "behind"})));
    return fields;
}

Fields kv_of(const std::string& tier, Dice& dice) {
    Fields fields;
    if (tier == "hbm") return fields;
    fields.set("tier", tier);
    if (dice.chance(0.5))
        fields.set("cached", fmt::format("{:.2f}", dice.share()))
            .set("zipf_exponent", fmt::format("{:.2f}", dice.share()));
    return fields;
}

Fields kernels_of(Dice& dice, bool fabric = false) {
    Fields fields;
    if (dice.chance(0.5)) fields.set("experts", dice.of({"grouped", "fused", "mega"}));
    if (fabric || dice.chance(0.4)) fields.set("exchange", fabric ? "fabric" : dice.of({"deepep", "wire"}));
    if (dice.chance(0.1)) fields.set("launch", fmt::format("{:.1f} us", dice.between(0.5, 10)));
    return fields;
}

Fields optical_of(Dice& dice) {
    return Fields()
        .set("mode", dice.of({"tiny", "small", "base", "large", "gundam"}))
        .set("share", fmt::format("{:.2f}", dice.share()))
        .set("text_tokens_per_page", dice.about(300, 2000));
}

Fields step_of(const RandomDeployment& on, Dice& dice, bool prefill, int batches, bool routing) {
    Fields work;
    work.set("kind", prefill ? "prefill" : "decode");
    work.set("batch", on.dp * batches * dice.about(1, prefill ? 4 : 256));
    if (prefill) {
        work.set("prompt", dice.about(std::max(32, on.cp), 32768));
        if (dice.chance(0.3)) work.set("context", dice.about(1, 65536));
        if (dice.chance(0.2)) work.set("prefix_hits", fmt::format("{:.2f}", dice.share()));
    } else {
        work.set("context", dice.about(1, 131072));
        if (on.model.mtp && dice.chance(0.3))
            work.set("draft",
                     Fields().set("tokens", dice.whole(1, 3)).set("acceptance", fmt::format("{:.2f}", dice.share())));
    }
    if (dice.chance(0.1)) work.set("optical", optical_of(dice));
    if (routing) work.set("routing", routing_of(dice));
    return work;
}

std::string step_text(const RandomDeployment& on, Dice& dice, bool prefill) {
    // Routers that limit the groups of a token take a second to draw.
    const double routed = on.model.ffn.experts == 0 || on.ep > 64 ? 0 : on.model.ffn.router.groups > 1 ? 0.02 : 0.15;
    const bool routing = dice.chance(routed);
    const int micro_batches = dice.of({1, 1, 1, 2, 2, 4});
    const std::string kv = random_tier(on, dice, 0.15);
    Fields placement = degrees_of(on);
    if (micro_batches > 1) placement.set("micro_batches", micro_batches);
    placement.set("experts", experts_of(on, dice, routing))
        .set("kv", kv_of(kv, dice))
        .set("engram", engram_of(on, dice));
    const Beside beside{.expanders = kv == "cxl" || on.experts == "cxl" || on.engram == "cxl",
                        .fabric = on.stage_ranks() <= 64 && dice.chance(0.08)};
    return lines_of({{"model", model_of(on)},
                     {"platform", platform_of(on, dice, beside)},
                     {"workload", step_of(on, dice, prefill, micro_batches * on.pp, routing)},
                     {"placement", placement},
                     {"kernels", kernels_of(dice, beside.fabric)}});
}

std::string length_of(Dice& dice, double low, double high) {
    const int length = dice.about(low, high);
    if (dice.chance(0.4)) return std::to_string(length);
    if (dice.chance(0.5)) return Fields().set("least", (length + 1) / 2).set("most", length).text();
    return Fields()
        .set("median", length)
        .set("sigma", fmt::format("{:.2f}", dice.share()))
        .set("most", 4 * length)
        .text();
}

std::string serving_text(const RandomDeployment& on, Dice& dice) {
    Fields work;
    work.set("kind", "serving").set("requests", dice.whole(20, 60)).set("seed", dice.whole(0, 99));
    if (dice.chance(0.7)) work.set("rate", fmt::format("{:.3f}", dice.between(0.1, 50)));
    work.set("input", length_of(dice, 16, 4096)).set("output", length_of(dice, 2, 200));
    const int concurrency = on.dp * dice.about(1, 64);
    const bool pools = dice.chance(0.25);
    if (pools) {
        Fields decode;
        decode.set("placement", degrees_of(on)).set("concurrency", concurrency);
        work.set("pools", Fields()
                              .set("prefill", Fields().set("placement", degrees_of(on)))
                              .set("decode", decode)
                              .set("first_token", dice.of({"prefill", "decode"})));
    } else {
        work.set("concurrency", concurrency);
        if (dice.chance(0.3)) work.set("replicas", dice.whole(2, 3));
        if (dice.chance(0.3)) work.set("step_tokens", dice.about(256, 16384));
        if (dice.chance(0.2)) work.set("batching", "fixed");
    }
    if (dice.chance(0.3)) work.set("prefill", "first");
    if (dice.chance(0.3)) work.set("preemption", "swap");
    if (on.model.mtp && dice.chance(0.4)) work.set("acceptance", fmt::format("[{:.2f}]", dice.share()));
    if (dice.chance(0.3))
        work.set("prefixes", Fields()
                                 .set("count", dice.whole(1, 5))
                                 .set("tokens", dice.about(16, 256))
                                 .set("share", fmt::format("{:.2f}", dice.share()))
                                 .set("cache_tokens", dice.of({0, 1000, 100000})));
    if (dice.chance(0.2))
        work.set("rank_failures", Fields()
                                      .set("mtbf_hours", fmt::format("{:.3f}", dice.between(0.05, 100)))
                                      .set("detection_s", dice.whole(0, 5))
                                      .set("repair_s", dice.whole(1, 60)));
    return lines_of({{"model", model_of(on)},
                     {"platform", platform_of(on, dice)},
                     {"workload", work},
                     {"placement", pools ? Fields() : degrees_of(on)},
                     {"kernels", kernels_of(dice)}});
}

std::string training_text(const RandomDeployment& on, Dice& dice) {
    Fields work;
    const int micro_batch = dice.of({1, 1, 2});
    work.set("kind", "training").set("sequences", on.dp * micro_batch * on.pp * dice.of({2, 4, 8}));
    work.set("length", dice.of({1024, 4096, 16384}));
    if (micro_batch > 1) work.set("micro_batch", micro_batch);
    work.set("schedule",
             on.pp > 1 ? dice.of({"gpipe", "1f1b", "zb1p", "dualpipe", "dualpipe_v"}) : dice.of({"gpipe", "1f1b"}));
    work.set("sharding", dice.of({"none", "zero1", "zero1", "zero3"}))
        .set("recompute", dice.of({"none", "selective", "full"}));
    if (dice.chance(0.3))
        work.set("optimiser", Fields().set("kind", "muon").set("placement", dice.of({"matrices", "rows"})));
    if (dice.chance(0.3)) work.set("nodes_per_token", dice.whole(1, 4));
    if (dice.chance(0.3))
        work.set(
            "failures",
            Fields()
                .set("published", dice.of({"llama3", "rsc1"}))
                .set(
                    "checkpoint",
                    Fields().set("bandwidth", bandwidth(dice.between(1, 20))).set("staging", dice.of({"none", "host"})))
                .set("duration_days", dice.whole(5, 60))
                .set("detection_s", 60)
                .set("restart_s", 300)
                .set("spare_nodes", dice.whole(0, 4))
                .set("seed", dice.whole(0, 99)));
    return lines_of({{"model", model_of(on)},
                     {"platform", platform_of(on, dice)},
                     {"workload", work},
                     {"placement", degrees_of(on)}});
}

std::string collective_text(Dice& dice) {
    const int domain = dice.of({2, 4, 8}), endpoints = domain * dice.of({1, 2, 4, 8});
    const auto layer = [&](int below) {
        return Fields()
            .set("shape", Fields().set("topology", "fat_tree").set("levels", 1).set("radix", below))
            .set("bandwidth", bandwidth(dice.between(10, 1000)))
            .set("latency", fmt::format("{:.2f} us", dice.between(0.3, 10)));
    };
    Fields fabric;
    fabric.set("size", Fields().set("endpoints", endpoints).set("domain", domain)).set("scale_up", layer(domain));
    if (endpoints > domain) fabric.set("scale_out", layer(endpoints));
    const std::string operation =
        dice.of({"all_to_all", "all_reduce", "all_gather", "reduce_scatter", "dispatch", "combine"});
    Fields work;
    work.set("kind", "collective").set("operation", operation).set("paths", dice.of({"hashed", "sprayed", "valiant"}));
    if (operation == "dispatch" || operation == "combine")
        work.set("tokens", dice.about(1, 4096))
            .set("hidden", 7168)
            .set("top_k", dice.whole(1, 8))
            .set("crossing", dice.of({"direct", "forwarded"}));
    else
        work.set("bytes", fmt::format("{} KB", dice.about(1, 1e6)));
    if (operation == "all_reduce" || operation == "all_gather" || operation == "reduce_scatter")
        work.set("algorithm", dice.of({"ring", "ring", "tree", "direct"}));
    if (dice.chance(0.3)) work.set("synchronisation", fmt::format("{:.2f}", 0.3 * dice.share()));
    if (dice.chance(0.3)) work.set("jitter", fmt::format("{:.3f}", 0.1 * dice.share()));
    if (dice.chance(0.3)) work.set("pipelined", "false");
    return lines_of({{"platform", Fields().set("fabric", fabric)}, {"workload", work}});
}

}  // namespace

RandomScenarios::RandomScenarios(const Catalog& catalog, const std::string& models_folder) : catalog_(catalog) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(models_folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) presets_.push_back(load_model(file));
}

std::string RandomScenarios::text(RandomKind kind, std::uint64_t seed) const {
    Dice dice(seed * 16 + static_cast<std::uint64_t>(kind));
    if (kind == RandomKind::collective) return collective_text(dice);
    const RandomDeployment on = random_deployment(kind, dice, catalog_, presets_);
    if (kind == RandomKind::serving) return serving_text(on, dice);
    if (kind == RandomKind::training) return training_text(on, dice);
    return step_text(on, dice, kind == RandomKind::prefill);
}

}  // namespace strata
