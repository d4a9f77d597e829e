#include "sim/scenario/placement_field.hpp"

#include "sim/scenario/choices.hpp"
#include "sim/scenario/routing_field.hpp"

namespace strata {

int count_of(const YamlField& field) {
    if (!field.exists()) return 1;
    const long long value = field.integer(1);
    if (value < 1 || value > 1000000) {
        field.problem("a count of at least 1", std::to_string(value));
        return 1;
    }
    return static_cast<int>(value);
}

double share(const YamlField& field, double fallback) {
    const double value = at_least(field, 0, fallback);
    if (value > 1) field.problem("a share in [0, 1]", fmt::format("{}", value));
    return value;
}

void refuse_domains(const YamlField& placement) {
    const YamlField domains = placement["engram"]["domains"];
    if (domains.exists())
        domains.problem("none outside decode and prefill: only there tables are swapped between steps");
}

namespace {

Tier tier_of(const YamlField& field) {
    if (!field.exists()) return Tier::hbm;
    return one_of<Tier>(field, {{"hbm", Tier::hbm}, {"host", Tier::host}, {"cxl", Tier::cxl}, {"nvme", Tier::nvme}});
}

// Tables wait in the tier that they are used in, or in one below it.
TableDomains read_domains(const YamlField& field, Tier used_in) {
    field.allow_only({"tables", "waiting", "tokens", "swap"});
    TableDomains domains;
    domains.tables = whole(field["tables"], 1, 1);
    domains.waiting = field["waiting"].exists() ? tier_of(field["waiting"]) : Tier::nvme;
    domains.tokens = at_least(field["tokens"], 1, 1e6);
    if (field["swap"].exists()) domains.behind = one_of<bool>(field["swap"], {{"pause", false}, {"behind", true}});
    if (domains.waiting < used_in)
        field["waiting"].problem(fmt::format("{} or a tier below it", to_string(used_in)),
                                 fmt::format("'{}'", to_string(domains.waiting)));
    return domains;
}

}  // namespace

Kernels read_kernels(const YamlField& field) {
    Kernels kernels;
    if (!field.exists()) return kernels;
    field.allow_only({"experts", "exchange", "launch"});
    if (field["launch"].exists()) kernels.launch = field["launch"].seconds();
    if (field["experts"].exists())
        kernels.experts = one_of<ExpertKernel>(field["experts"], {{"grouped", ExpertKernel::grouped},
                                                                  {"fused", ExpertKernel::fused},
                                                                  {"cutlass", ExpertKernel::cutlass},
                                                                  {"mega", ExpertKernel::mega}});
    if (field["exchange"].exists())
        kernels.exchange = one_of<ExchangeKernel>(
            field["exchange"],
            {{"deepep", ExchangeKernel::deepep}, {"fabric", ExchangeKernel::fabric}, {"wire", ExchangeKernel::wire}});
    return kernels;
}

Placement read_placement(const YamlField& field, bool routing) {
    Placement placement;
    if (!field.exists()) return placement;
    field.allow_only({"tp", "cp", "dp", "ep", "pp", "micro_batches", "experts", "kv", "engram"});
    placement.tp = count_of(field["tp"]);
    placement.dp = count_of(field["dp"]);
    placement.cp = count_of(field["cp"]);
    placement.ep = count_of(field["ep"]);
    placement.pp = count_of(field["pp"]);
    placement.micro_batches = count_of(field["micro_batches"]);
    if (const YamlField experts = field["experts"]; experts.exists()) {
        experts.allow_only(
            {"tier", "redundant", "compute", "cached", "zipf_exponent", "order", "learned", "age", "swaps"});
        placement.experts = tier_of(experts["tier"]);
        if (experts["compute"].exists())
            placement.expert_processor = one_of<ExpertProcessor>(
                experts["compute"], {{"accelerator", ExpertProcessor::accelerator}, {"host", ExpertProcessor::host}});
        placement.cached_experts = at_least(experts["cached"], 0, 0);
        placement.expert_skew = at_least(experts["zipf_exponent"], 0, 0);
        placement.expert_dials = read_expert_dials(experts, routing);
    }
    if (const YamlField kv = field["kv"]; kv.exists()) {
        kv.allow_only({"tier", "cached", "zipf_exponent"});
        placement.kv = tier_of(kv["tier"]);
        placement.cached_kv = share(kv["cached"], 0);
        placement.kv_skew = at_least(kv["zipf_exponent"], 0, 0);
    }
    const YamlField engram = field["engram"];
    if (!engram.exists()) return placement;
    engram.allow_only({"tier", "fetch", "hot_rows", "zipf_exponent", "domains"});
    placement.engram = tier_of(engram["tier"]);
    if (engram["fetch"].exists())
        placement.prefetch = one_of<bool>(engram["fetch"], {{"prefetch", true}, {"synchronous", false}});
    placement.hot_rows = at_least(engram["hot_rows"], 0, 0);
    placement.zipf_exponent = at_least(engram["zipf_exponent"], 0, 0);
    if (engram["domains"].exists()) placement.domains = read_domains(engram["domains"], placement.engram);
    return placement;
}

}  // namespace strata
