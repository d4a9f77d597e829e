#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/allocation_answer.hpp"
#include "app/cli/verbs.hpp"
#include "hwmodels/yaml_field.hpp"
#include "reports/files.hpp"
#include "sim/model/precision.hpp"
#include "sim/quality/acceptance_law.hpp"
#include "sim/quality/quality_laws.hpp"
#include "sim/study/study.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Model preset(const std::string& name, const std::string& folder) {
    const fs::path file = fs::path(folder) / fmt::format("{}.yaml", name);
    if (fs::is_regular_file(file)) return load_model(file.string());
    std::vector<std::string> known;
    for (const auto& entry : fs::directory_iterator(folder)) known.push_back(entry.path().stem().string());
    std::sort(known.begin(), known.end());
    const auto meant = nearest_name(name, known);
    throw InputError(
        "model",
        meant ? fmt::format("a preset; did you mean '{}'?", *meant) : fmt::format("one of {}", fmt::join(known, ", ")),
        fmt::format("'{}'", name));
}

Json json_of(const ResidualDials& dials) {
    const ResidualGain gain = residual_gain(dials);
    return {{"kind", to_string(dials.kind)},
            {"streams", dials.streams},
            {"depth", dials.depth},
            {"iterations", dials.iterations},
            {"spread", dials.spread},
            {"gain", gain.gain},
            {"low", gain.low},
            {"high", gain.high},
            {"forward", gain.forward},
            {"backward", gain.backward},
            {"single_layer", gain.single_layer},
            {"stochastic_error", gain.stochastic_error},
            {"provenance", to_string(gain.origin)},
            {"outside", gain.outside}};
}

// Each kind of residual at the model's depth, or as asked.
Json residual_json(const Model& model, const QualityArguments& asked) {
    Json all = Json::array();
    for (const ResidualKind kind : {ResidualKind::plain, ResidualKind::hc, ResidualKind::mhc}) {
        ResidualDials dials = dials_of(kind);
        dials.depth = asked.depth > 0 ? asked.depth : 2 * model.layers;
        dials.iterations = asked.iterations;
        if (kind != ResidualKind::plain && model.streams > 1) dials.streams = static_cast<int>(model.streams);
        all.push_back(json_of(dials));
    }
    return all;
}

// The training step of the ledger's row on mHC with this model in it: the same kernels, the same placement.
Json mhc_cost_json(const std::string& model, const std::string& root) {
    const std::string file = root + "/scenarios/validation/mhc-training.yaml";
    Problems problems;
    const YamlField ledger(load_yaml(file), file, "", problems);
    const std::string metric = ledger["metric"].text();
    const auto seconds = [&](double streams) {
        const ScenarioFile scenario(file, ledger["scenario"].node(), root + "/scenarios/models",
                                    {"model.preset=" + model, fmt::format("model.residual_streams={}", streams)});
        const StudyOptions options{.root = root, .engines = {}, .jobs = 1, .simulator = {}, .progress = {}};
        const Study study = run_study(scenario, options);
        if (!study.results.front().run) throw InputError(study.results.front().reason);
        return study.results.front().run->metrics.at(metric);
    };
    Json json{{"streams", kPublishedStreams}, {"percent_of_forward_and_backward", nullptr}};
    try {
        json["percent_of_forward_and_backward"] = 100 * (1 - seconds(1) / seconds(kPublishedStreams));
        json["provenance"] = to_string(Origin::modelled);
    } catch (const InputError& error) {
        json["reason"] = error.what();
    }
    json["published_percent"] = ledger["rows"].items().front()["published"].number();
    json["source"] = ledger["source"].text();
    return json;
}

Json precision_json(const Model& model, const PrecisionLaw& law, SumKeeper keeper) {
    Json json{{"accumulation", to_string(keeper)}, {"classes", Json::array()}};
    for (const PrecisionClass& one : precision_classes(model))
        json["classes"].push_back({{"name", one.name},
                                   {"weights", to_string(one.weights)},
                                   {"activations", to_string(one.activations)},
                                   {"share", one.share}});
    try {
        const LossEffect effect = law.loss_effect(model, keeper);
        json.update({{"loss_percent", effect.percent},
                     {"low", effect.low},
                     {"high", effect.high},
                     {"provenance", to_string(effect.origin)},
                     {"outside", effect.outside}});
    } catch (const InputError& error) {
        json["loss_percent"] = nullptr;
        json["reason"] = error.what();
    }
    json["published"] = Json::array();
    for (const PublishedLoss& one : law.published()) {
        const LossEffect effect = law.loss_effect(law.noise(one.weights, one.activations, model.hidden));
        json["published"].push_back({{"name", one.name},
                                     {"loss_percent", one.percent},
                                     {"bound", one.bound},
                                     {"fitted", one.fitted},
                                     {"law_percent", effect.percent},
                                     {"measured_on", one.measured_on},
                                     {"source", one.source}});
    }
    return json;
}

// Of the model itself with as many drafts as asked, or as were published; of all others what was published.
Json acceptance_json(const std::string& model, int drafts, const AcceptanceLaw& law) {
    Json all = Json::array();
    for (const PublishedAcceptance& one : law.published()) {
        const bool own = one.model == model;
        const int asked = own && drafts > 0 ? drafts : one.drafts;
        const double from = tokens_per_step(one.acceptance_from(), asked);
        const double to = tokens_per_step(one.acceptance_to(), asked);
        const Origin origin = !own ? Origin::transferred : asked == one.drafts ? Origin::published : Origin::modelled;
        all.push_back({{"model", one.model},
                       {"drafter", one.drafter},
                       {"drafts", asked},
                       {"acceptance_from", one.acceptance_from()},
                       {"acceptance_to", one.acceptance_to()},
                       {"tokens_per_step_from", from},
                       {"tokens_per_step_to", to},
                       {"provenance", to_string(origin)},
                       {"outside", asked > one.drafts},
                       {"source", one.source}});
    }
    return all;
}

std::string reach(const Json& json) { return json.value("outside", false) ? ", OUTSIDE of what was published" : ""; }
double number(const Json& json, const char* key) { return json.at(key).get<double>(); }
std::string word(const Json& json, const char* key) { return json.at(key).get<std::string>(); }

void print_residual(const Json& all, const Json& cost) {
    std::cout << "Residual streams: largest growth of a signal or gradient over depth by the mixing alone\n"
              << fmt::format("  {:<6} {:>7} {:>6} {:>10} {:>9} {:>22} {:>9} {:>9}\n", "kind", "streams", "depth",
                             "iterations", "gain", "10 to 90 % of draws", "forward", "backward");
    for (const Json& one : all)
        std::cout << fmt::format("  {:<6} {:>7} {:>6} {:>10} {:>9.4g} {:>22} {:>9.4g} {:>9.4g}  {}{}\n",
                                 word(one, "kind"), one.at("streams").get<int>(), one.at("depth").get<int>(),
                                 word(one, "kind") == "mhc" ? std::to_string(one.at("iterations").get<int>()) : "-",
                                 number(one, "gain"),
                                 fmt::format("{:.4g} to {:.4g}", number(one, "low"), number(one, "high")),
                                 number(one, "forward"), number(one, "backward"), word(one, "provenance"), reach(one));
    std::cout << fmt::format(
        "  published: HC about {:.0f}, mHC about {}, 4 streams over 60 sublayers (arXiv "
        "2512.24880)\n",
        kPublishedHcGain, kPublishedMhcGain);
    const Json& percent = cost.at("percent_of_forward_and_backward");
    std::cout << (percent.is_null()
                      ? fmt::format("  cost of mHC in a training step: not known ({})\n", word(cost, "reason"))
                      : fmt::format("  cost of mHC: {:.1f} % of a training step's forward and backward, {}; published "
                                    "{} % ({})\n",
                                    percent.get<double>(), word(cost, "provenance"), number(cost, "published_percent"),
                                    word(cost, "source")));
}

void print_precision(const Json& json) {
    std::cout << fmt::format("\nPrecision: loss of training in these formats relative to BF16, sums {}\n",
                             word(json, "accumulation"));
    for (const Json& one : json.at("classes"))
        std::cout << fmt::format("  {:<34} {:>10} x {:<10} {:>6.1f} % of what a token meets\n", word(one, "name"),
                                 word(one, "weights"), word(one, "activations"), 100 * number(one, "share"));
    if (json.at("loss_percent").is_null())
        std::cout << fmt::format("  not known: {}\n", word(json, "reason"));
    else
        std::cout << fmt::format("  {:.3f} % ({:.3f} to {:.3f} %), {}{}\n", number(json, "loss_percent"),
                                 number(json, "low"), number(json, "high"), word(json, "provenance"), reach(json));
    for (const Json& one : json.at("published"))
        std::cout << fmt::format("  published: {} {}{} %, the law {:.3f} %{} ({})\n", word(one, "name"),
                                 one.at("bound").get<bool>() ? "below " : "", number(one, "loss_percent"),
                                 number(one, "law_percent"), one.at("fitted").get<bool>() ? ", fitted" : "",
                                 word(one, "source"));
}

void print_acceptance(const Json& all) {
    std::cout << "\nDrafts: tokens that a decode step gives\n";
    for (const Json& one : all)
        std::cout << fmt::format(
            "  {:<11} {:<7} {} drafts, each accepted {:.0f} to {:.0f} %: {:.2f} to {:.2f} tokens, "
            "{}{} ({})\n",
            word(one, "model"), word(one, "drafter"), one.at("drafts").get<int>(), 100 * number(one, "acceptance_from"),
            100 * number(one, "acceptance_to"), number(one, "tokens_per_step_from"), number(one, "tokens_per_step_to"),
            word(one, "provenance"), reach(one), word(one, "source"));
}

}  // namespace

int quality_verb(const QualityArguments& arguments, const std::string& root) {
    const Model model = preset(arguments.model, root + "/scenarios/models");
    const PrecisionLaw precision(root + "/sim/quality/precision_anchors.yaml");
    const AcceptanceLaw acceptance(root + "/sim/quality/acceptance_anchors.yaml");
    const Json json{{"model", arguments.model},
                    {"residual", residual_json(model, arguments)},
                    {"mhc_cost", mhc_cost_json(arguments.model, root)},
                    {"precision", precision_json(model, precision, sum_keeper_of(arguments.accumulation))},
                    {"allocation", allocation_json(arguments.allocation_points, arguments.rho, root)},
                    {"memory", memory_json(arguments.slots, root)},
                    {"acceptance", acceptance_json(arguments.model, arguments.drafts, acceptance)},
                    {"expert_count", nullptr}};
    if (arguments.json_file == "-") {
        std::cout << json.dump(1) << '\n';
        return 0;
    }
    if (!arguments.json_file.empty()) write_whole(arguments.json_file, json.dump(1) + "\n");
    std::cout << fmt::format("{}\n", arguments.model);
    print_residual(json.at("residual"), json.at("mhc_cost"));
    print_precision(json.at("precision"));
    print_acceptance(json.at("acceptance"));
    print_allocation(json.at("allocation"));
    print_memory(json.at("memory"));
    std::cout << "\nCount of experts: no law. Nothing in numbers is published of loss against it; docs/quality.md\n";
    return 0;
}

}  // namespace strata
