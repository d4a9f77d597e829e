#include "sim/scenario/serving_pools.hpp"

#include <algorithm>

#include "sim/scenario/choices.hpp"

namespace strata {

namespace {

int count(const YamlField& field, int least, int fallback) {
    if (!field.exists()) return fallback;
    const long long value = field.integer(fallback);
    if (value >= least && value <= 100000000) return static_cast<int>(value);
    field.problem(fmt::format("a whole number of at least {}", least), std::to_string(value));
    return fallback;
}

}  // namespace

ServingPools read_pools(const YamlField& field) {
    field.allow_only({"prefill", "decode", "kv_link", "first_token"});
    ServingPools pools;
    // Prompts share nothing but a step's tokens, so as many are taken up as have a token in it.
    const YamlField prefill = field["prefill"], decode = field["decode"];
    prefill.allow_only({"placement", "replicas", "step_tokens"});
    pools.prefill.placement = read_placement(prefill["placement"]);
    pools.prefill.replicas = count(prefill["replicas"], 1, 1);
    pools.prefill.step_tokens = count(prefill["step_tokens"], 2, 8192);
    pools.prefill.concurrency = pools.prefill.step_tokens - 1;
    decode.allow_only({"placement", "replicas", "concurrency"});
    pools.decode.placement = read_placement(decode["placement"]);
    pools.decode.replicas = count(decode["replicas"], 1, 1);
    pools.decode.concurrency = count(decode["concurrency"], 1, 1);
    // Prompts are computed there only again, when KV was lost: beside a full batch, whatever it drafts.
    pools.decode.step_tokens = std::max(8192, 16 * std::min(pools.decode.concurrency, 1 << 20));
    if (field["kv_link"].exists())
        pools.over_scale_up = one_of<bool>(field["kv_link"], {{"scale_out", false}, {"scale_up", true}});
    if (field["first_token"].exists())
        pools.decode_answers = one_of<bool>(field["first_token"], {{"prefill", false}, {"decode", true}});
    return pools;
}

}  // namespace strata
