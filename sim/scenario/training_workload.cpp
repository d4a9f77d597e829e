#include "sim/scenario/training_workload.hpp"

#include "sim/scenario/choices.hpp"

namespace strata {

namespace {

double above_zero(const YamlField& field, double fallback) {
    if (!field.exists()) return fallback;
    const double value = field.number(fallback);
    if (!(value > 0)) field.problem("a number above 0", fmt::format("{}", value));
    return value;
}

int read_zero(const YamlField& field) {
    if (!field.exists()) return 1;
    return one_of<int>(field, {{"none", 0}, {"zero1", 1}, {"zero3", 3}});
}

void read_optimiser(const YamlField& field, TrainingWorkload& training) {
    const Choices<Optimiser> kinds{{"adamw", Optimiser::adamw}, {"muon", Optimiser::muon}};
    if (!field.exists()) return;
    field.allow_only({"kind", "placement"});
    training.optimiser = one_of<Optimiser>(field["kind"], kinds);
    if (!field["placement"].exists()) return;
    training.whole_matrices = one_of<bool>(field["placement"], {{"matrices", true}, {"rows", false}});
}

FailureRate read_source(const YamlField& field) {
    field.allow_only({"name", "parts_per_accelerator", "mtbf_h", "weibull_shape", "breaks_node"});
    FailureRate rate;
    rate.name = field["name"].text();
    rate.parts_per_accelerator = above_zero(field["parts_per_accelerator"], 1);
    if (field["mtbf_h"].exists())
        rate.mtbf_h = above_zero(field["mtbf_h"], 1);
    else
        field["mtbf_h"].problem("the mean time between failures of one part in hours", "nothing");
    rate.weibull_shape = above_zero(field["weibull_shape"], 1);
    if (field["breaks_node"].exists()) rate.breaks_node = field["breaks_node"].boolean(true);
    return rate;
}

CheckpointWorkload read_checkpoint(const YamlField& field) {
    CheckpointWorkload checkpoint;
    field.allow_only({"bandwidth", "shared_bandwidth", "staging", "interval", "interval_s"});
    checkpoint.bandwidth = field["bandwidth"].bandwidth();
    if (field["shared_bandwidth"].exists()) checkpoint.shared_bandwidth = field["shared_bandwidth"].bandwidth();
    if (field["staging"].exists())
        checkpoint.staged = one_of<bool>(field["staging"], {{"none", false}, {"host", true}});
    if (field["interval"].exists())
        checkpoint.daly = one_of<bool>(field["interval"], {{"daly", true}, {"young", false}});
    if (field["interval_s"].exists()) checkpoint.interval_s = above_zero(field["interval_s"], 1);
    if (field["interval"].exists() && field["interval_s"].exists())
        field["interval_s"].problem("either a rule ('interval') or seconds of work, not both");
    return checkpoint;
}

FailureWorkload read_failures(const YamlField& field) {
    field.allow_only({"published", "sources", "checkpoint", "duration_days", "detection_s", "restart_s", "repair_h",
                      "spare_nodes", "elastic", "seed"});
    FailureWorkload failures;
    if (field["published"].exists() == field["sources"].exists())
        field.problem("exactly one of 'published' and 'sources'", field["sources"].exists() ? "both" : "neither");
    if (field["published"].exists())
        failures.published = one_of<PublishedFailures>(
            field["published"], {{"llama3", PublishedFailures::llama3}, {"rsc1", PublishedFailures::rsc1}});
    if (field["sources"].exists()) {
        for (const YamlField& source : field["sources"].items()) failures.sources.push_back(read_source(source));
        if (failures.sources.empty()) field["sources"].problem("at least one source", "none");
    }
    failures.checkpoint = read_checkpoint(field["checkpoint"]);
    failures.duration_days = above_zero(field["duration_days"], 30);
    failures.detection_s = at_least(field["detection_s"], 0, 0);
    failures.restart_s = at_least(field["restart_s"], 0, 0);
    failures.repair_h = at_least(field["repair_h"], 0, 24);
    failures.spare_nodes = whole(field["spare_nodes"], 0, 0);
    if (field["elastic"].exists()) failures.elastic = field["elastic"].boolean();
    failures.seed = static_cast<std::uint64_t>(whole(field["seed"], 0, 0));
    return failures;
}

}  // namespace

const std::vector<std::string>& training_fields() {
    static const std::vector<std::string> fields{"sequences",       "length",    "micro_batch", "schedule",
                                                 "sharding",        "recompute", "optimiser",   "mtp",
                                                 "nodes_per_token", "routing",   "failures"};
    return fields;
}

TrainingWorkload read_training(const YamlField& field) {
    TrainingWorkload training;
    training.sequences = whole(field["sequences"], 1, 1);
    training.length = whole(field["length"], 1, 4096);
    training.micro_batch = whole(field["micro_batch"], 1, 1);
    if (field["schedule"].exists())
        training.schedule = one_of<PipelineKind>(field["schedule"], {{"gpipe", PipelineKind::gpipe},
                                                                     {"1f1b", PipelineKind::one_f_one_b},
                                                                     {"zb1p", PipelineKind::zb1p},
                                                                     {"dualpipe", PipelineKind::dualpipe},
                                                                     {"dualpipe_v", PipelineKind::dualpipe_v}});
    training.zero = read_zero(field["sharding"]);
    if (field["recompute"].exists())
        training.recompute = one_of<Recompute>(
            field["recompute"],
            {{"none", Recompute::none}, {"selective", Recompute::selective}, {"full", Recompute::full}});
    read_optimiser(field["optimiser"], training);
    if (field["mtp"].exists()) training.mtp = field["mtp"].boolean();
    training.nodes_per_token = whole(field["nodes_per_token"], 0, 0);
    if (field["failures"].exists()) training.failures = read_failures(field["failures"]);
    return training;
}

}  // namespace strata
