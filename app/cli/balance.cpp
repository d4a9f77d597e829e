#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/verbs.hpp"
#include "reports/files.hpp"
#include "sim/study/balance.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const BalanceOverTime& balance, const std::vector<std::int64_t>& periods) {
    Json json{{"schema", "strata-balance/1"}, {"layer", balance.layer}, {"steps", Json::array()}};
    for (const BalanceAt& at : balance.steps)
        json["steps"].push_back({{"step", at.step},
                                 {"experts", at.experts},
                                 {"biased_experts", at.biased_experts},
                                 {"linear_ranks", at.linear_ranks},
                                 {"placed_ranks", at.placed_ranks},
                                 {"biased_ranks", at.biased_ranks}});
    for (std::size_t i = 0; i < periods.size(); ++i) {
        const ReplacementOutcome& one = balance.replacements[i];
        json["replacements"].push_back({{"period", periods[i]},
                                        {"computing_ms", to_ms(one.computing)},
                                        {"balanced_ms", to_ms(one.balanced)},
                                        {"moving_ms", to_ms(one.moving)},
                                        {"moved_gb", to_GB(one.moved)},
                                        {"placements", one.placements}});
    }
    return json;
}

// Some twenty steps, closer together where biases still act.
bool is_shown(int step, int steps) {
    for (int at = 1; at < steps; at *= 2)
        if (step == at) return true;
    return step == 0 || step == steps - 1 || step % std::max(1, steps / 10) == 0;
}

void print(const BalanceOverTime& balance, const std::vector<std::int64_t>& periods) {
    std::cout << fmt::format("layer {}: the largest load over the mean\n", balance.layer);
    std::cout << fmt::format("{:>8}  {:>8} {:>8}  {:>8} {:>8} {:>8}\n", "step", "experts", "biased", "ranks", "placed",
                             "biased");
    const int steps = static_cast<int>(balance.steps.size());
    for (const BalanceAt& at : balance.steps)
        if (is_shown(at.step, steps))
            std::cout << fmt::format("{:>8}  {:>8.3f} {:>8.3f}  {:>8.3f} {:>8.3f} {:>8.3f}\n", at.step, at.experts,
                                     at.biased_experts, at.linear_ranks, at.placed_ranks, at.biased_ranks);
    std::cout
        << "ranks: linear order; placed: by EPLB for the loads of step 0; biased: the router's biases, linear order\n"
        << fmt::format("\nplaced anew, over {} steps of this layer at {:.3f} us a pair\n", steps, to_us(balance.token));
    std::cout << fmt::format("{:>14} {:>13} {:>13} {:>12} {:>10} {:>12}\n", "every [steps]", "experts [ms]",
                             "balanced [ms]", "moving [ms]", "moved [GB]", "all [ms]");
    for (std::size_t i = 0; i < periods.size(); ++i) {
        const ReplacementOutcome& one = balance.replacements[i];
        std::cout << fmt::format("{:>14} {:>13.2f} {:>13.2f} {:>12.3f} {:>10.2f} {:>12.2f}\n",
                                 periods[i] > 0 ? std::to_string(periods[i]) : "never", to_ms(one.computing),
                                 to_ms(one.balanced), to_ms(one.moving), to_GB(one.moved), to_ms(one.total()));
    }
}

}  // namespace

int balance_verb(const BalanceArguments& arguments, const std::string& root) {
    const ScenarioFile file(arguments.scenario, root + "/scenarios/models", arguments.set);
    Inputs inputs(root);
    const Scenario scenario = file.read(file.first_point(), inputs.catalog());
    BalanceOptions options{.steps = arguments.steps, .bias_rate = arguments.bias_rate, .periods = arguments.periods};
    if (arguments.layer >= 0) options.layer = arguments.layer;
    const BalanceOverTime balance = balance_over_time(scenario, inputs, options);
    const std::string json = json_of(balance, options.periods).dump(1) + "\n";
    if (arguments.json_file == "-")
        std::cout << json;
    else
        print(balance, options.periods);
    if (!arguments.json_file.empty() && arguments.json_file != "-") write_whole(arguments.json_file, json);
    return 0;
}

}  // namespace strata
