#include "sim/scenario/rl_workload.hpp"

#include "sim/scenario/choices.hpp"
#include "sim/scenario/placement_field.hpp"
#include "sim/scenario/scenario.hpp"

namespace strata {

namespace {

// Requests are the answers, all asked for at once: there is no rate and no trace.
void read_rollout(const YamlField& field, const std::string& file, RlWorkload& rl) {
    field.allow_only({"input", "output", "concurrency", "replicas", "step_tokens", "acceptance", "memory_share",
                      "prefix_cache_tokens"});
    if (field["concurrency"].is_map())
        field["concurrency"].problem("a number: an iteration has all its answers, not a target to find it by");
    rl.rollout = read_serving(field, file);
    rl.rollout.prefix_cache_tokens = at_least(field["prefix_cache_tokens"], 0, 0);
}

void read_judging(const YamlField& field, RlWorkload& rl) {
    if (!field.exists()) return;
    field.allow_only({"seconds", "judges", "when"});
    rl.judging = Seconds(at_least(field["seconds"], 0, 0));
    rl.judges = whole(field["judges"], 1, 1);
    if (field["when"].exists())
        rl.judge_as_they_end = one_of<bool>(field["when"], {{"as_they_end", true}, {"at_the_end", false}});
}

ReadingPass read_reader(const YamlField& field) {
    field.allow_only({"tokens_per_s", "load_s"});
    ReadingPass reader{.tokens_per_second = field["tokens_per_s"].number(1),
                       .load = Seconds(at_least(field["load_s"], 0, 0))};
    if (!(reader.tokens_per_second > 0))
        field["tokens_per_s"].problem("a number above 0", fmt::format("{}", reader.tokens_per_second));
    return reader;
}

void read_update(const YamlField& field, RlWorkload& rl) {
    field.allow_only({"placement", "length", "micro_batch", "schedule", "sharding", "recompute", "optimiser", "mtp"});
    refuse_domains(field["placement"]);
    rl.update = read_training(field);
    rl.update_placement = std::make_shared<const Placement>(read_placement(field["placement"]));
}

}  // namespace

const std::vector<std::string>& rl_fields() {
    static const std::vector<std::string> fields{"prompts", "answers", "rollout",         "judging", "readers",
                                                 "update",  "sync",    "rolls_out_ahead", "seed"};
    return fields;
}

RlWorkload read_rl(const YamlField& field, const std::string& file) {
    RlWorkload rl;
    rl.prompts = whole(field["prompts"], 1, 1);
    rl.answers = whole(field["answers"], 1, 1);
    read_rollout(field["rollout"], file, rl);
    rl.rollout.arrivals.seed = static_cast<std::uint64_t>(whole(field["seed"], 0, 0));
    read_judging(field["judging"], rl);
    if (field["readers"].exists())
        for (const YamlField& reader : field["readers"].items()) rl.readers.push_back(read_reader(reader));
    read_update(field["update"], rl);
    if (const YamlField sync = field["sync"]; sync.exists()) {
        sync.allow_only({"bandwidth"});
        rl.sync = sync["bandwidth"].bandwidth();
    }
    if (field["rolls_out_ahead"].exists()) rl.rolls_out_ahead = field["rolls_out_ahead"].boolean();
    return rl;
}

}  // namespace strata
