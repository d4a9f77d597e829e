#include "tests/properties/random_deployment.hpp"

#include <array>

#include "sim/model/accounting.hpp"
#include "sim/model/precision.hpp"

namespace strata {

namespace {

// Training keeps gradients, the optimiser's state and activations beside them.
bool weights_fit(const RandomDeployment& on, RandomKind kind) {
    const bool joined = on.nodes() == 1 || !on.system->scale_out_link.empty();
    const bool meets = on.ranks() == 1 || !on.system->scale_up_link.empty();
    if (!joined || !meets || !on.accelerator->memory_capacity.value) return false;
    const WeightBytes bytes = weight_bytes(on.model);
    Bytes held = bytes.other / on.tp / on.pp;
    if (on.experts == "hbm") held += bytes.experts / std::max(on.ep, on.tp) / on.pp;
    if (on.engram == "hbm") held += bytes.engram / on.ranks();
    return held < *on.accelerator->memory_capacity.value * (kind == RandomKind::training ? 0.07 : 0.8);
}

void draw_model(RandomDeployment& on, Dice& dice, const std::vector<Model>& presets) {
    on.model = dice.of(presets);
    on.precision = {};
    for (const auto& [name, precision] : {std::pair("weights", &on.model.weights), {"experts", &on.model.experts}})
        if (dice.chance(0.25)) {
            const auto& [format, stored] = dice.of(weight_precisions());
            on.precision.set(name, format);
            *precision = stored;
        }
    if (on.model.weights != Precision::bf16 && dice.chance(0.1))
        on.precision.set("activations", dice.of(activation_precisions()).first);
    const auto rows = [&](const char* name, bool there) {
        if (there && dice.chance(0.2)) on.precision.set(name, dice.of(row_precisions()).first);
    };
    rows("kv", true);
    rows("index_keys", on.model.attention.indexer_heads > 0);
    rows("engram", on.model.engram.has_value());
    on.rho = on.model.engram && on.model.ffn.experts > 0 && dice.chance(0.2) ? 0.4 + 0.6 * dice.share() : 0;
}

void draw_ranks(RandomDeployment& on, Dice& dice, RandomKind kind) {
    on.tp = dice.of({1, 1, 1, 2, 4, 8});
    on.pp = kind == RandomKind::training ? dice.of({1, 2, 4, 8, 16}) : dice.of({1, 1, 1, 1, 2, 4});
    on.cp = kind == RandomKind::prefill ? dice.of({1, 1, 1, 2, 4}) : 1;
    on.dp = dice.of({1, 1, 2, 4, 6, 8, 8, 16, 32});
    std::vector<int> divisors;
    for (int ep = 1; ep <= on.stage_ranks(); ++ep)
        if (on.stage_ranks() % ep == 0) divisors.push_back(ep);
    on.ep = on.model.ffn.experts == 0 ? 1 : dice.chance(0.6) ? divisors.back() : dice.of(divisors);
}

}  // namespace

std::string name_of(RandomKind kind) {
    constexpr std::array<const char*, 5> kNames{"decode", "prefill", "serving", "training", "collective"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string random_tier(const RandomDeployment& on, Dice& dice, double below) {
    if (!dice.chance(on.system->host_memory.empty() ? below / 10 : below)) return "hbm";
    return dice.of({"host", "host", "nvme", "cxl"});
}

RandomDeployment random_deployment(RandomKind kind, Dice& dice, const Catalog& catalog,
                                   const std::vector<Model>& presets) {
    RandomDeployment on;
    const bool tiers = kind == RandomKind::decode || kind == RandomKind::prefill;
    constexpr int kTries = 60;
    for (int i = 0; i < kTries; ++i) {
        draw_model(on, dice, presets);
        on.system = &dice.of(catalog.systems()).second;
        on.accelerator =
            &(dice.chance(0.1) ? dice.of(catalog.accelerators()).second : catalog.accelerator(on.system->accelerator));
        draw_ranks(on, dice, kind);
        if (tiers) on.experts = on.model.ffn.experts > 0 ? random_tier(on, dice, 0.2) : "hbm";
        if (tiers) on.engram = on.model.engram ? random_tier(on, dice, 0.6) : "hbm";
        if (weights_fit(on, kind)) break;
    }
    return on;
}

}  // namespace strata
