#include "sim/scenario/collective.hpp"

#include <algorithm>
#include <cmath>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/fabric_field.hpp"

namespace strata {

namespace {

const Choices<Collective> kOperations{
    {"all_to_all", Collective::all_to_all}, {"all_reduce", Collective::all_reduce},
    {"all_gather", Collective::all_gather}, {"reduce_scatter", Collective::reduce_scatter},
    {"dispatch", Collective::dispatch},     {"combine", Collective::combine}};
const Choices<WayFinding> kWays{{"hashed", WayFinding::hashed},
                                {"sprayed", WayFinding::sprayed},
                                {"valiant", WayFinding::valiant},
                                {"adaptive", WayFinding::adaptive}};

int whole(const YamlField& field, int fallback) {
    if (!field.exists()) return fallback;
    const long long value = field.integer(1);
    if (value >= 1 && value <= 10'000'000) return static_cast<int>(value);
    field.problem("a whole number from 1 to 10000000", fmt::format("{}", value));
    return fallback;
}

Bytes positive(const YamlField& field, Bytes fallback) {
    const std::size_t problems = field.problems().size();
    const Bytes bytes = field.bytes();
    if (field.problems().size() > problems) return fallback;
    if (!(bytes >= Bytes(1))) field.problem("at least a byte", fmt::format("'{}'", field.text()));
    return bytes;
}

TokenSpread read_spread(const YamlField& workload) {
    TokenSpread spread;
    for (const char* name : {"tokens", "hidden", "top_k"})
        if (!workload[name].exists()) workload[name].problem("a number: a dispatch or combine needs it", "nothing");
    spread.tokens = at_least(workload["tokens"], 1, 1);
    spread.hidden = at_least(workload["hidden"], 1, 1);
    spread.top_k = at_least(workload["top_k"], 1, 1);
    spread.bytes_per_element = at_least(workload["bytes_per_element"], 0.01, 1);
    spread.domain_limit = at_least(workload["domain_limit"], 1, 0);
    if (workload["copies"].exists())
        spread.per_expert = one_of<bool>(workload["copies"], {{"per_rank", false}, {"per_expert", true}});
    return spread;
}

Seconds time_of(const YamlField& field, Seconds fallback) { return field.exists() ? field.seconds() : fallback; }

CollectiveTerms read_terms(const YamlField& workload) {
    CollectiveTerms terms;
    terms.startup = time_of(workload["startup"], terms.startup);
    if (workload["scale_up_step"].exists()) terms.scale_up_step = workload["scale_up_step"].seconds();
    if (workload["scale_out_step"].exists()) terms.scale_out_step = workload["scale_out_step"].seconds();
    terms.synchronisation = at_least(workload["synchronisation"], 0, terms.synchronisation);
    terms.jitter = at_least(workload["jitter"], 0, terms.jitter);
    if (workload["pipelined"].exists()) terms.pipelined = workload["pipelined"].boolean();
    return terms;
}

// Fields that the operation has no use for would be ignored in silence.
void refuse_others(const CollectiveWorkload& collective, const YamlField& workload) {
    const auto only = [&](bool used, const char* of, const std::vector<std::string>& fields) {
        for (const std::string& name : fields)
            if (!used && workload[name].exists())
                workload[name].problem(
                    fmt::format("this field belongs to {}, not to {}", of, to_string(collective.operation)));
    };
    only(collective.exchanges_tokens(), "dispatch and combine",
         {"tokens", "hidden", "top_k", "bytes_per_element", "domain_limit", "copies"});
    only(collective.reduces(), "all_reduce, all_gather and reduce_scatter", {"algorithm"});
    only(!collective.reduces(), "all_to_all, dispatch and combine", {"crossing"});
    only(!collective.exchanges_tokens(), "all_to_all and reductions", {"bytes"});
}

}  // namespace

std::string_view to_string(Collective operation) { return name_of(kOperations, operation); }
std::string_view to_string(WayFinding way) { return name_of(kWays, way); }

const std::vector<std::string>& collective_fields() {
    static const std::vector<std::string> fields{
        "operation",         "algorithm",      "bytes",   "ranks",          "paths",
        "crossing",          "tokens",         "hidden",  "top_k",          "domain_limit",
        "bytes_per_element", "copies",         "startup", "scale_up_step",  "jitter",
        "pipelined",         "scale_out_step", "packet",  "buffer_packets", "virtual_channels",
        "synchronisation"};
    return fields;
}

CollectiveWorkload read_collective(const YamlField& workload, const YamlField& platform, const Catalog& catalog) {
    CollectiveWorkload collective;
    for (const std::string& part : platform.keys())
        if (part != "fabric") platform[part].problem("a collective runs on platform.fabric alone");
    collective.fabric = read_fabric_field(platform["fabric"], catalog);
    const std::size_t problems = workload.problems().size();
    collective.operation = one_of(workload["operation"], kOperations);
    if (workload.problems().size() == problems) refuse_others(collective, workload);
    if (workload["algorithm"].exists())
        collective.algorithm = one_of<Algorithm>(workload["algorithm"], {{"ring", Algorithm::ring},
                                                                         {"tree", Algorithm::tree},
                                                                         {"direct", Algorithm::direct},
                                                                         {"in_network", Algorithm::in_network}});
    if (collective.exchanges_tokens()) collective.crossing = Crossing::forwarded;
    if (workload["crossing"].exists())
        collective.crossing =
            one_of<Crossing>(workload["crossing"], {{"direct", Crossing::direct}, {"forwarded", Crossing::forwarded}});
    if (workload["paths"].exists()) collective.routing = one_of(workload["paths"], kWays);
    collective.ranks = whole(workload["ranks"], collective.fabric.endpoints);
    if (collective.exchanges_tokens())
        collective.spread = read_spread(workload);
    else
        collective.bytes = positive(workload["bytes"], Bytes(1));
    collective.terms = read_terms(workload);
    if (workload["packet"].exists()) collective.packet = positive(workload["packet"], collective.packet);
    collective.buffer_packets = whole(workload["buffer_packets"], 0);
    collective.virtual_channels = whole(workload["virtual_channels"], 0);
    return collective;
}

}  // namespace strata
