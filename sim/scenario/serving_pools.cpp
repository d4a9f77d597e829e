#include "sim/scenario/serving_pools.hpp"

#include <algorithm>

#include "sim/scenario/choices.hpp"
#include "sim/scenario/placement_field.hpp"

namespace strata {

ServingPools read_pools(const YamlField& field, bool routing) {
    field.allow_only({"prefill", "decode", "kv_link", "first_token"});
    ServingPools pools;
    // Prompts share nothing but a step's tokens, so as many are taken up as have a token in it.
    const YamlField prefill = field["prefill"], decode = field["decode"];
    prefill.allow_only({"placement", "replicas", "step_tokens"});
    for (const YamlField& pool : {prefill, decode}) refuse_domains(pool["placement"]);
    pools.prefill.placement = read_placement(prefill["placement"], routing);
    pools.prefill.replicas = whole(prefill["replicas"], 1, 1);
    pools.prefill.step_tokens = whole(prefill["step_tokens"], 2, 8192);
    pools.prefill.concurrency = pools.prefill.step_tokens - 1;
    decode.allow_only({"placement", "replicas", "concurrency"});
    pools.decode.placement = read_placement(decode["placement"], routing);
    pools.decode.replicas = whole(decode["replicas"], 1, 1);
    pools.decode.concurrency = whole(decode["concurrency"], 1, 1);
    // Prompts are computed there only again, when KV was lost: beside a full batch, whatever it drafts.
    pools.decode.step_tokens = std::max(8192, 16 * std::min(pools.decode.concurrency, 1 << 20));
    if (field["kv_link"].exists())
        pools.over_scale_up = one_of<bool>(field["kv_link"], {{"scale_out", false}, {"scale_up", true}});
    if (field["first_token"].exists())
        pools.decode_answers = one_of<bool>(field["first_token"], {{"prefill", false}, {"decode", true}});
    return pools;
}

}  // namespace strata
