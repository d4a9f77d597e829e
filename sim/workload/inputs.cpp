#include "sim/workload/inputs.hpp"

#include "sim/placement/memory.hpp"

namespace strata {

Inputs::Inputs(const std::string& root)
    : catalog_(std::filesystem::path(root) / "hwmodels" / "catalog"), costs_(CostBook::of(root)) {}

const Platform& Inputs::platform(const PlatformSpec& spec) {
    auto known = platforms_.find(spec);
    if (known == platforms_.end()) known = platforms_.emplace(spec, platform_of(spec)).first;
    return known->second;
}

Program Inputs::program_of(const Scenario& scenario) {
    if (scenario.access) throw InputError("workload.kind", "decode or prefill: an access has no Program", "'access'");
    check_fits(scenario);
    const RankShares* shares = scenario.routing ? &shares_of(scenario) : nullptr;
    return build_program(scenario, platform(scenario.platform), costs_, shares);
}

const RankShares& Inputs::shares_of(const Scenario& scenario) {
    const Model& model = scenario.model;
    const SharesKey key{.ffn = model.ffn,
                        .layers = model.layers,
                        .vocabulary = model.vocab,
                        .spec = shares_spec(scenario, platform(scenario.platform).machine.ranks)};
    auto known = shares_.find(key);
    if (known == shares_.end()) known = shares_.emplace(key, RankShares(model, key.spec)).first;
    return known->second;
}

}  // namespace strata
