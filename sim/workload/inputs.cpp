#include "sim/workload/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sim/placement/memory.hpp"

namespace strata {

Inputs::Inputs(const std::string& root) : Inputs(root, std::make_shared<const CostBook>(CostBook::of(root))) {}

Inputs::Inputs(const std::string& root, std::shared_ptr<const CostBook> costs)
    : catalog_(std::filesystem::path(root) / "hwmodels" / "catalog"),
      costs_(std::move(costs)),
      quality_(root),
      optical_anchors_((std::filesystem::path(root) / "sim" / "quality" / "optical_anchors.yaml").string()) {}

const Platform& Inputs::platform(const PlatformSpec& spec) {
    if (last_platform_ && last_platform_->first == spec) return last_platform_->second;
    auto known = platforms_.find(spec);
    if (known == platforms_.end()) known = platforms_.emplace(spec, platform_of(spec)).first;
    last_platform_ = &*known;
    return known->second;
}

Program Inputs::program_of(const Scenario& scenario, const Platform& platform) {
    if (scenario.access) throw InputError("workload.kind", "decode or prefill: an access has no Program", "'access'");
    check_fits(scenario);
    Program program = build_program(scenario, platform, *costs_, exchange_inputs(scenario, tokens_of_a_rank(scenario)));
    if (scenario.workload.optical) program.optical = optical_of(*scenario.workload.optical);
    return program;
}

ProgramInputs Inputs::exchange_inputs(const Scenario& scenario, double tokens) {
    const bool over_fabric = scenario.kernels.exchange == ExchangeKernel::fabric;
    return {.shares = scenario.routing ? &shares_of(scenario, tokens) : nullptr,
            .fabric = over_fabric ? &fabric_of(scenario) : nullptr};
}

OpticalSummary Inputs::optical_of(const OpticalContext& context) {
    if (!optical_) optical_.emplace(optical_anchors_);
    const std::vector<PageGroup> pages = context.pages();
    OpticalSummary summary{.text_tokens = context.prompt_text + context.context_text,
                           .pictured_text = context.pictured_text(),
                           .pages = 0,
                           .vision_tokens = vision_tokens(pages),
                           .precision = optical_->precision(pages, context.dials.text_tokens_per_page)};
    for (const PageGroup& group : pages) summary.pages += group.pages;
    return summary;
}

FabricCosts& Inputs::fabric_of(const Scenario& scenario) {
    if (!scenario.fabric)
        throw InputError("kernels.exchange", "a platform.fabric for exchanges of kind fabric", "none");
    auto known = fabrics_.find(*scenario.fabric);
    if (known == fabrics_.end()) known = fabrics_.emplace(*scenario.fabric, FabricCosts(*scenario.fabric)).first;
    FabricCosts& fabric = known->second;
    const Placement& placement = scenario.placement;
    if (placement.stage_ranks() > fabric.endpoints())
        throw InputError("platform.fabric",
                         fmt::format("an endpoint for each of tp x cp x dp = {} ranks", placement.stage_ranks()),
                         fmt::format("{} ({})", fabric.endpoints(), scenario.fabric->name));
    return fabric;
}

const RankShares& Inputs::shares_of(const Scenario& scenario, double tokens) {
    const Model& model = scenario.model;
    const SharesKey key{.ffn = model.ffn,
                        .layers = model.layers,
                        .vocabulary = model.vocab,
                        .spec = shares_spec(scenario, tokens, platform(scenario.platform).machine.ranks)};
    auto known = shares_.find(key);
    if (known != shares_.end()) return known->second;
    return shares_.emplace(key, RankShares(model, key.spec, source_of(scenario, key.spec.tokens))).first->second;
}

RoutingSource& Inputs::source_of(const Scenario& scenario, std::int64_t tokens) {
    if (RoutingSource* const record = record_of(scenario)) return *record;
    const Model& model = scenario.model;
    const RoutingDials& dials = *scenario.routing;
    const bool by_tokens = dials.popularity.law == PopularityLaw::power_density;  // its largest load is a share of them
    const std::tuple key{model.ffn, model.layers, model.vocab, dials, by_tokens ? tokens : 0};
    if (law_key_ != key) {
        law_ = routing_of(model, dials, tokens);
        law_key_ = key;
    }
    law_->set_tokens(tokens);
    return *law_;
}

// Null where routing is a law, whose loads depend on the tokens of a step.
RoutingSource* Inputs::record_of(const Scenario& scenario) {
    const RoutingDials& dials = *scenario.routing;
    if (dials.counts_file.empty() && dials.tokens_file.empty()) return nullptr;
    auto& record = records_[{scenario.model.ffn, scenario.model.layers, dials}];
    if (!record) record = routing_of(scenario.model, dials, 1);
    return record.get();
}

std::int64_t Inputs::steps_of_routing(const Scenario& scenario) {
    const ExpertDials& experts = scenario.placement.expert_dials;
    const RoutingSource* const record = record_of(scenario);
    if (!record) return std::numeric_limits<std::int64_t>::max();
    return std::max<std::int64_t>(1, record->steps() - experts.learned - experts.age);
}

}  // namespace strata
