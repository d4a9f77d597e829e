#include "sim/serving/step_pricing.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/mixed_bits.hpp"
#include "sim/engine/analytic/analytic_engine.hpp"
#include "sim/result/run.hpp"

namespace strata {

namespace {

StepPrice price_of(const Scenario& step, Inputs& inputs) {
    const Program program = inputs.program_of(step);
    return {run_analytic(program).makespan, shares_of_compute(program), program.balance, straggling(program)};
}

StepPrice plus(StepPrice one, const StepPrice& other, double times) {
    const Seconds more = other.time * times, all = one.time + more;
    for (auto& [origin, share] : one.share_by_origin) share *= one.time / all;
    for (const auto& [origin, share] : other.share_by_origin) one.share_by_origin[origin] += share * (more / all);
    one.time = all;
    return one;
}

// The layers that draft, as a model of their own: embedding and head are computed again for each draft (DeepSeek-V3,
// arXiv 2412.19437, section 2.2). The projection of two hidden states to one is below 1 % of a layer and not counted.
Model drafter_of(const Model& model) {
    if (!model.mtp)
        throw InputError("workload.acceptance", "a model with layers that draft (mtp)",
                         "'" + model.name + "', which has none");
    Model drafter = model;
    drafter.layers = model.mtp->layers;
    drafter.prefill_layers = 0;
    drafter.attention_of.assign(static_cast<std::size_t>(model.mtp->layers), model.mtp->attention);
    if (drafter.ffn.experts > 0) drafter.ffn.dense_layers = 0;
    drafter.engram.reset();
    drafter.mtp.reset();
    return drafter;
}

// A decode step that verifies `drafts` tokens of each sequence beside its own. All of them pass the projections and
// experts; the KV of a sequence is read once for all, as long as their heads fit in the rows of one tile: 64 in
// FlashMLA (github deepseek-ai/FlashMLA), whose blocks of query heads hold the queries of one KV head.
class DecodePrices {
public:
    DecodePrices(const Scenario& scenario, Inputs& inputs, double kv_tokens, int drafts)
        : step_(scenario), inputs_(&inputs), kv_tokens_(kv_tokens), drafts_(drafts) {
        step_.workload.prefill = false;
        if (drafts_ > 0) drafter_ = drafter_of(step_.model);
    }

    StepPrice operator()(double batch, double context) {
        const double held = std::max(1.0, std::min(context, std::floor(kv_tokens_ / batch) - 1));
        const StepPrice plain = decode(batch, held);
        if (drafts_ == 0) return plain;
        const double heads = step_.model.attention.heads / step_.placement.tp, queries = 1 + drafts_;
        const double tiles = std::ceil(heads * queries / kTileRows) / std::ceil(heads / kTileRows);
        const StepPrice all_tokens = decode(batch * queries, kShort), one_token = decode(batch, kShort);
        StepPrice price = plus(all_tokens, plain, tiles);
        price.time = all_tokens.time + std::max(plain.time - one_token.time, Seconds(0)) * tiles;
        Scenario draft = step_;
        draft.model = drafter_;
        draft.routing.reset();  // a source speaks of the model's layers
        draft.placement.pp = 1;
        draft.workload.batch = std::max(batch, least_batch(draft));
        draft.workload.context = held;
        return plus(price, price_of(draft, *inputs_), drafts_);
    }

private:
    static constexpr double kTileRows = 64, kShort = 64;

    StepPrice decode(double batch, double context) {
        step_.workload.batch = batch;
        step_.workload.context = context;
        return price_of(step_, *inputs_);
    }

    Scenario step_;
    Inputs* inputs_;
    double kv_tokens_;
    int drafts_;
    Model drafter_{};
};

// A step of so many tokens that attend to `context` tokens on average: whole prompts of twice that length, or where
// that is more than there are tokens, one on each rank behind a past.
class PrefillPrices {
public:
    PrefillPrices(const Scenario& scenario, Inputs& inputs, double kv_tokens)
        : step_(scenario), inputs_(&inputs), kv_tokens_(kv_tokens), least_(least_batch(scenario)) {}

    StepPrice operator()(double tokens, double context) {
        const double prompts = std::max(least_, tokens / (2 * context)), prompt = tokens / prompts;
        const double room = std::floor((kv_tokens_ - tokens) / prompts) - 1;
        const double past = std::max(0.0, std::min(context - prompt / 2, room));
        step_.workload = {.prefill = true, .batch = prompts, .context = past, .prompt = prompt};
        return price_of(step_, *inputs_);
    }

private:
    Scenario step_;
    Inputs* inputs_;
    double kv_tokens_, least_;
};

}  // namespace

StepPricing::StepPricing(const Scenario& scenario, Inputs& inputs, const StepLimits& limits, int drafts)
    : least_(least_batch(scenario)),
      seed_(scenario.serving ? scenario.serving->arrivals.seed : 0),
      draws_(std::make_shared<Draws>()) {
    Scenario drawn = scenario;
    const std::int64_t count = scenario.routing ? std::min(kDraws, inputs.steps_of_routing(scenario)) : 1;
    for (std::int64_t draw = 0; draw < count; ++draw, ++drawn.placement.expert_dials.age)
        draws_->all.push_back(
            {PricedSteps(doubling(least_, std::max(least_, limits.batch)), doubling(64, limits.context),
                         DecodePrices(drawn, inputs, limits.kv_tokens, drafts)),
             PricedSteps(doubling(16 * least_, std::max(16 * least_, limits.step_tokens)), doubling(64, limits.context),
                         PrefillPrices(drawn, inputs, limits.kv_tokens))});
}

// Decode steps are asked by the context of all sequences together.
StepTimes StepPricing::times() const {
    StepTimes times{
        .decode =
            [draws = draws_](double batch, double context) {
                return draws->all[draws->now].decode.at(batch, context / std::max(1.0, batch));
            },
        .prefill = [draws = draws_](double tokens,
                                    double context) { return draws->all[draws->now].prefill.at(tokens, context); }};
    if (draws_->all.size() > 1)
        times.draw = [draws = draws_, seed = seed_](std::int64_t step) {
            draws->now = mixed_bits(mixed_bits(seed) + static_cast<std::uint64_t>(step)) % draws->all.size();
        };
    return times;
}

Seconds StepPricing::decode_alone(double context) const {
    Seconds least(std::numeric_limits<double>::infinity());
    for (Grids& grids : draws_->all) least = std::min(least, grids.decode.peek(least_, context));
    return least;
}

Seconds StepPricing::prefill_alone(double tokens) const {
    Seconds least(std::numeric_limits<double>::infinity());
    for (Grids& grids : draws_->all) least = std::min(least, grids.prefill.peek(tokens, tokens / 2));
    return least;
}

void StepPricing::add_time_by_origin(std::map<std::string, double>& seconds) const {
    for (const Grids& grids : draws_->all) {
        grids.decode.add_time_by_origin(seconds);
        grids.prefill.add_time_by_origin(seconds);
    }
}

void StepPricing::add_balance(BalanceOfSteps& sum) const {
    for (const Grids& grids : draws_->all) {
        grids.decode.add_balance(sum);
        grids.prefill.add_balance(sum);
    }
}

}  // namespace strata
