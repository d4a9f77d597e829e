#include "sim/routing/routing_dials.hpp"

#include "hwmodels/input_error.hpp"
#include "sim/routing/hash_routing.hpp"
#include "sim/routing/trace_routing.hpp"

namespace strata {

namespace {

// Of group limits: 256 leave an expert's chance uncertain by 2 %, below what chance makes of one step's tokens.
constexpr int kPilotTokens = 256;

RouterRule rule_of(const FfnConfig& ffn) {
    return {.experts = static_cast<int>(ffn.experts),
            .top_k = static_cast<int>(ffn.top_k),
            .score = ffn.router.sqrt_softplus ? Score::sqrt_softplus : Score::sigmoid,
            .limit = {.groups = ffn.router.groups, .kept = ffn.router.kept}};
}

// The first layers of the model up to the last hashed one; 0: none is hashed.
int hashed_layers(const Model& model) {
    const RouterConfig& router = model.ffn.router;
    const int hashed = router.hash_layers > 0 ? static_cast<int>(model.ffn.dense_layers) + router.hash_layers : 0;
    if (hashed >= model.layers)
        throw InputError("model.ffn.router.hash_layers", "fewer than the layers of the model",
                         std::to_string(router.hash_layers));
    return hashed;
}

}  // namespace

ScoreRoutingSpec score_routing_spec(const Model& model, const RoutingDials& dials, std::int64_t tokens) {
    if (!dials.counts_file.empty() || !dials.tokens_file.empty())
        throw InputError("workload.routing", "a law: a trace has no router that could be balanced", "a trace");
    if (model.ffn.experts <= 0)
        throw InputError("workload.routing", "a model with routed experts", "'" + model.name + "' has none");
    const int hashed = hashed_layers(model);
    ScoreRoutingSpec spec{.router = rule_of(model.ffn),
                          .layers = model.layers - hashed,
                          .tokens = tokens,
                          .popularity = dials.popularity,
                          .topics = dials.topics,
                          .seed = dials.seed,
                          .pilot_tokens = kPilotTokens};
    if (spec.popularity.law == PopularityLaw::power_density && spec.popularity.largest <= 0)
        spec.popularity.largest = 0.8 * double(tokens);  // as the project that the law is from takes it
    spec.check();
    return spec;
}

std::unique_ptr<RoutingSource> routing_of(const Model& model, const RoutingDials& dials, std::int64_t tokens) {
    if (model.ffn.experts <= 0)
        throw InputError("workload.routing", "a model with routed experts", "'" + model.name + "' has none");
    const RouterRule rule = rule_of(model.ffn);
    if (!dials.counts_file.empty() || !dials.tokens_file.empty())
        return std::make_unique<TraceRouting>(TraceRoutingSpec{.experts = rule.experts,
                                                               .top_k = rule.top_k,
                                                               .layers = model.layers,
                                                               .counts_file = dials.counts_file,
                                                               .tokens_file = dials.tokens_file,
                                                               .seed = dials.seed});
    auto routed = std::make_unique<ScoreRouting>(score_routing_spec(model, dials, tokens));
    const int hashed = hashed_layers(model);
    if (hashed == 0) return routed;
    auto hash = std::make_unique<HashRouting>(HashRoutingSpec{.experts = rule.experts,
                                                              .top_k = rule.top_k,
                                                              .layers = hashed,
                                                              .vocabulary = static_cast<int>(model.vocab),
                                                              .tokens = tokens,
                                                              .token_exponent = dials.token_exponent,
                                                              .seed = dials.seed});
    return std::make_unique<LayeredRouting>(std::move(hash), std::move(routed));
}

}  // namespace strata
