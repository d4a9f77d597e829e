#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/verbs.hpp"
#include "reports/files.hpp"
#include "reports/study_view.hpp"
#include "sim/result/run_json.hpp"
#include "sim/study/find_binding.hpp"

namespace strata {

namespace {

void print_gains(const std::vector<Gain>& gains) {
    std::string none;
    for (const Gain& gain : gains) {
        if (!gain.obstacle.empty())
            std::cout << fmt::format("  {:<44} does not run: {}\n", gain.resource, gain.obstacle);
        else if (std::abs(gain.gain) > kNoGain)
            std::cout << fmt::format("  {:<44} {:>+7.2f} %   {:>6.3f}\n", gain.resource, 100 * gain.gain,
                                     gain.elasticity);
        else
            none += (none.empty() ? "" : ", ") + gain.resource;
    }
    if (!none.empty()) std::cout << fmt::format("  no difference: {}\n", none);
}

// Repeats the best change by hand. On another device, as any is whose peaks are set, nothing was measured: that is what
// to hold it against.
void print_command(const Binding& binding, const BindsArguments& arguments, const PointResult& result) {
    std::string command = fmt::format("strata run {}", arguments.scenario);
    for (const std::string& text : arguments.set) command += fmt::format(" --set '{}'", text);
    for (const auto& [path, value] : result.settings) command += fmt::format(" --set '{}={}'", path, value);
    for (const auto& [path, value] : binding.gains.front().settings)
        command += fmt::format(" --set '{}={}'", path, value);
    std::cout << fmt::format("  again: {}\n", command);
}

void print(const Study& study, const BindsArguments& arguments) {
    for (const PointResult& result : study.results) {
        std::cout << fmt::format("{}{}\n", label_of(result, study),
                                 study.engines.size() > 1 ? fmt::format(" ({})", result.engine) : "");
        if (!result.binding) {
            std::cout << fmt::format("  {}: {}\n", to_string(result.status), result.reason);
            continue;
        }
        const Binding& binding = *result.binding;
        std::cout << fmt::format("  {} is {}; each resource {:.4g} % better: gain, elasticity\n", binding.metric,
                                 plain(binding.base), 100 * binding.by);
        print_gains(binding.gains);
        if (!binding.pairs.empty()) {
            std::cout << fmt::format("  no single one gains {:.0f} %; the best two at once:\n", 100 * kFewGain);
            print_gains(binding.pairs);
        }
        for (const std::string& name : binding.unknown)
            std::cout << fmt::format("  not tried: {}, a number of it is null\n", name);
        if (binding.nothing_to_gain())
            std::cout << "  nothing to gain: no resource of the platform holds this point back\n";
        else
            print_command(binding, arguments, result);
    }
}

}  // namespace

double share_from(const std::string& text) {
    double value = 0;
    const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string unit(rest, text.data() + text.size());
    const double share = unit.empty() ? value : value / 100;
    if (status != std::errc() || (unit != "" && unit != "%" && unit != " %") || !(share > 0 && share <= 10))
        throw InputError("--by", "a share above 0, such as 10% or 0.1", "'" + text + "'");
    return share;
}

int binds_verb(const BindsArguments& arguments, const std::string& root) {
    const BindingOptions binding{.by = share_from(arguments.by), .metric = arguments.metric};
    const ScenarioFile scenario(arguments.scenario, root + "/scenarios/models", arguments.set);
    const StudyOptions options{.root = root, .engines = arguments.engines};
    Study study = run_study(scenario, options);
    find_bindings(study, scenario, binding, options);
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const PointResult& result : study.results) {
        nlohmann::ordered_json point{{"settings", nlohmann::ordered_json::object()}, {"engine", result.engine}};
        for (const auto& [path, value] : result.settings) point["settings"][path] = value;
        if (result.binding) point["binds"] = to_json(*result.binding);
        if (!result.reason.empty()) point["reason"] = result.reason;
        json.push_back(std::move(point));
    }
    if (arguments.json_file == "-")
        std::cout << json.dump(1) << '\n';
    else
        print(study, arguments);
    if (!arguments.json_file.empty() && arguments.json_file != "-")
        write_whole(arguments.json_file, json.dump(1) + "\n");
    return 0;
}

}  // namespace strata
