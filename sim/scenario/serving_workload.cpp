#include "sim/scenario/serving_workload.hpp"

#include <filesystem>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/serving_pools.hpp"

namespace strata {

namespace {

double share_of(const YamlField& field, double fallback) {
    const double share = at_least(field, 0, fallback);
    if (share > 1) field.problem("a share in [0, 1]", fmt::format("{}", share));
    return share;
}

// 1024, {least: 512, most: 2048}, or {median: 800, sigma: 0.9, most: 32768}.
Length read_length(const YamlField& field) {
    if (!field.exists() || !field.is_map()) return FixedLength{whole(field, 1, 1)};
    if (field["median"].exists()) {
        field.allow_only({"median", "sigma", "most"});
        return LogNormalLength{at_least(field["median"], 1, 1), at_least(field["sigma"], 0, 1),
                               whole(field["most"], 1, 131072)};
    }
    field.allow_only({"least", "most"});
    const UniformLength length{whole(field["least"], 1, 1), whole(field["most"], 1, 1)};
    if (length.most < length.least)
        field["most"].problem(fmt::format("at least `least`, {}", length.least), std::to_string(length.most));
    return length;
}

void read_prefixes(const YamlField& field, ServingWorkload& serving) {
    if (!field.exists()) return;
    field.allow_only({"count", "tokens", "share", "cache_tokens", "tier"});
    serving.arrivals.prefixes = whole(field["count"], 1, 1);
    serving.arrivals.prefix_tokens = whole(field["tokens"], 1, 1);
    serving.arrivals.prefix_share = share_of(field["share"], 1);
    serving.prefix_cache_tokens = at_least(field["cache_tokens"], 0, 0);
    if (field["tier"].exists())
        serving.prefix_tier =
            one_of<Tier>(field["tier"], {{"hbm", Tier::hbm}, {"host", Tier::host}, {"nvme", Tier::nvme}});
}

Seconds milliseconds(const YamlField& field) { return Seconds(at_least(field, 0, 0) * 1e-3); }

ServerTimes read_server(const YamlField& field) {
    ServerTimes server;
    if (!field.exists()) return server;
    field.allow_only({"step_ms", "overlap", "launch_ms", "first_step_ms", "wait_steps"});
    server.step = milliseconds(field["step_ms"]);
    if (field["overlap"].exists()) server.overlaps = field["overlap"].boolean();
    server.launch = milliseconds(field["launch_ms"]);
    server.wait_steps = whole(field["wait_steps"], 0, 0);
    server.first_step = milliseconds(field["first_step_ms"]);
    return server;
}

std::optional<FailingRanks> read_failing_ranks(const YamlField& field) {
    if (!field.exists()) return std::nullopt;
    field.allow_only({"mtbf_hours", "detection_s", "repair_s"});
    FailingRanks failures;
    failures.mtbf_hours = field["mtbf_hours"].number(1);
    failures.detection = Seconds(field["detection_s"].number());
    failures.repair = Seconds(field["repair_s"].number());
    if (!(failures.mtbf_hours > 0))
        field["mtbf_hours"].problem("a number above 0", fmt::format("{}", failures.mtbf_hours));
    for (const char* name : {"detection_s", "repair_s"})
        if (field[name].exists()) (void)at_least(field[name], 0, 0);
    return failures;
}

// Pools say this each for itself.
void read_pools_into(ServingWorkload& serving, const YamlField& field) {
    if (!field["pools"].exists()) return;
    for (const char* name : {"replicas", "concurrency", "step_tokens", "batching"})
        if (field[name].exists()) field[name].problem("workload.pools says this of each pool, or it is of one alone");
    serving.pools = std::make_shared<ServingPools>(read_pools(field["pools"], field["routing"].exists()));
}

Seconds limit(const YamlField& field) {
    if (!field.exists()) return Seconds(1e30);
    return Seconds(at_least(field, 0, 0) * 1e-3);
}

}  // namespace

const std::vector<std::string>& serving_fields() {
    static const std::vector<std::string> fields{
        "requests",     "rate",          "trace",         "input",    "output",        "prefixes",   "seed",
        "concurrency",  "replicas",      "step_tokens",   "batching", "prefill",       "preemption", "acceptance",
        "memory_share", "ttft_limit_ms", "tpot_limit_ms", "pools",    "rank_failures", "server",     "routing"};
    return fields;
}

ServingWorkload read_serving(const YamlField& field, const std::string& file) {
    ServingWorkload serving;
    if (field["trace"].exists()) {
        for (const char* name : {"requests", "rate", "input", "output", "prefixes"})
            if (field[name].exists()) field[name].problem("a trace says this");
        const std::filesystem::path trace = field["trace"].text();
        serving.trace = (std::filesystem::path(file).parent_path() / trace).string();
    } else {
        serving.arrivals.requests = whole(field["requests"], 1, 1000);
        serving.rate_with = read_largest_with(field["rate"]);
        serving.arrivals.per_second = field["rate"].is_map() ? 1 : at_least(field["rate"], 0, 0);
        serving.arrivals.input = read_length(field["input"]);
        serving.arrivals.output = read_length(field["output"]);
        read_prefixes(field["prefixes"], serving);
    }
    serving.arrivals.seed = static_cast<std::uint64_t>(whole(field["seed"], 0, 0));
    serving.concurrency_with = read_largest_with(field["concurrency"]);
    if (!field["concurrency"].is_map()) serving.concurrency = whole(field["concurrency"], 1, 1);
    if (serving.rate_with && serving.concurrency_with)
        field["concurrency"].problem("a number: the rate is what is to be found, and one search finds one number");
    serving.replicas = whole(field["replicas"], 1, 1);
    serving.step_tokens = whole(field["step_tokens"], 1, 8192);
    if (field["batching"].exists())
        serving.batching =
            one_of<Batching>(field["batching"], {{"continuous", Batching::continuous}, {"fixed", Batching::fixed}});
    if (field["prefill"].exists())
        serving.prefill = one_of<PrefillOrder>(field["prefill"],
                                               {{"chunked", PrefillOrder::chunked}, {"first", PrefillOrder::first}});
    if (field["preemption"].exists())
        serving.preemption =
            one_of<Preemption>(field["preemption"], {{"recompute", Preemption::recompute}, {"swap", Preemption::swap}});
    if (field["acceptance"].exists())
        for (const YamlField& position : field["acceptance"].items())
            serving.acceptance.push_back(share_of(position, 0));
    serving.memory_share = share_of(field["memory_share"], 0.9);
    read_pools_into(serving, field);
    serving.failures = read_failing_ranks(field["rank_failures"]);
    serving.server = read_server(field["server"]);
    serving.limits = {limit(field["ttft_limit_ms"]), limit(field["tpot_limit_ms"])};
    return serving;
}

}  // namespace strata
