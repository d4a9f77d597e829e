// What the points of a study have in common, read once: catalogue, cost book, and each platform at its first use.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "sim/quality/optical_law.hpp"
#include "sim/quality/quality_laws.hpp"
#include "sim/workload/build_program.hpp"

namespace strata {

// What the spread of tokens over ranks depends on.
struct SharesKey {
    FfnConfig ffn{};
    int layers = 0;
    double vocabulary = 0;
    RankSharesSpec spec{};
    auto operator<=>(const SharesKey&) const = default;
};

class Inputs {
public:
    // `root` holds hwmodels/catalog, sim/cost and sim/quality.
    explicit Inputs(const std::string& root);
    // With a cost book that others use too, on other threads even.
    Inputs(const std::string& root, std::shared_ptr<const CostBook> costs);

    const Catalog& catalog() const { return catalog_; }
    const CostBook& costs() const { return *costs_; }
    QualityLaws& quality() { return quality_; }
    const Platform& platform(const PlatformSpec& spec);
    // Throws InputError for a point that does not fit its platform, or needs a number that nobody has published.
    Program program_of(const Scenario& scenario) { return program_of(scenario, platform(scenario.platform)); }
    // The same, where the scenario's platform was looked up already.
    Program program_of(const Scenario& scenario, const Platform& platform);
    // Of the ranks' exchanges, where the scenario says more: each rank has `tokens` in a micro-batch. Lives as long as
    // this.
    ProgramInputs exchange_inputs(const Scenario& scenario, double tokens);
    // Steps of the scenario's routing from its placement's age on: how many loads can be drawn of it.
    std::int64_t steps_of_routing(const Scenario& scenario);

private:
    RoutingSource* record_of(const Scenario& scenario);
    RoutingSource& source_of(const Scenario& scenario, std::int64_t tokens);
    const RankShares& shares_of(const Scenario& scenario, double tokens);
    FabricCosts& fabric_of(const Scenario& scenario);
    OpticalSummary optical_of(const OpticalContext& context);

    Catalog catalog_;
    std::shared_ptr<const CostBook> costs_;
    QualityLaws quality_;
    std::optional<OpticalLaw> optical_;  // read at its first use
    std::string optical_anchors_;
    std::map<PlatformSpec, Platform> platforms_;
    const std::pair<const PlatformSpec, Platform>* last_platform_ = nullptr;  // most points ask for one
    std::map<std::tuple<FfnConfig, int, RoutingDials>, std::unique_ptr<RoutingSource>> records_;  // traces, read once
    // The last law that was asked for: popularity and the chances of experts are the same for any number of tokens.
    std::optional<std::tuple<FfnConfig, int, double, RoutingDials, std::int64_t>> law_key_;
    std::unique_ptr<RoutingSource> law_;
    std::map<SharesKey, RankShares> shares_;
    std::map<FabricSpec, FabricCosts> fabrics_;
};

}  // namespace strata
