#include "sim/quality/precision_law.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hwmodels/yaml_field.hpp"
#include "sim/model/accounting.hpp"
#include "sim/model/precision.hpp"

namespace strata {

namespace {

constexpr std::string_view kKeepers[] = {"fp32", "promoted", "hopper"};

NoisePower operator+(const NoisePower& a, const NoisePower& b) {
    return {a.normal + b.normal, a.heavy_tailed + b.heavy_tailed, a.outlier_channels + b.outlier_channels};
}
NoisePower operator*(double share, const NoisePower& a) {
    return {share * a.normal, share * a.heavy_tailed, share * a.outlier_channels};
}

Precision format_of(const YamlField& field) {
    const std::string text = field.text();
    for (const PrecisionNames* names : {&weight_precisions(), &row_precisions()})
        for (const auto& [name, precision] : *names)
            if (name == text) return precision;
    field.problem("a storage format of the precision dial", "'" + text + "'");
    return Precision::bf16;
}

template <class Power>
NoisePower noise_field(const YamlField& field, Power power) {
    field.allow_only({"normal", "heavy_tailed", "outlier_channels"});
    return {power(field["normal"].number()), power(field["heavy_tailed"].number()),
            power(field["outlier_channels"].number())};
}

bool is_fp8(Precision format) { return format == Precision::fp8_tensor || format == Precision::fp8_tile; }

}  // namespace

std::string_view to_string(SumKeeper keeper) { return kKeepers[static_cast<std::size_t>(keeper)]; }

SumKeeper sum_keeper_of(const std::string& name) {
    for (const SumKeeper keeper : {SumKeeper::fp32, SumKeeper::promoted, SumKeeper::hopper})
        if (to_string(keeper) == name) return keeper;
    throw InputError("accumulation", "fp32, promoted or hopper", "'" + name + "'");
}

double NoisePower::worst() const { return std::max({normal, heavy_tailed, outlier_channels}); }

std::vector<PrecisionClass> precision_classes(const Model& model) {
    const ParameterCount count = parameters(model);
    const double experts =
        count.shared + (model.ffn.experts > 0 ? count.routed * model.ffn.top_k / model.ffn.experts : 0);
    const double plain = count.attention + count.dense + count.residual + count.engram_projection;
    const double rest = count.head + count.router;
    const double all = experts + plain + rest;
    std::vector<PrecisionClass> classes{
        {"attention, dense and projections", model.weights, model.activations_with(model.weights), plain / all}};
    if (experts > 0)
        classes.push_back({"experts", model.experts, model.activations_with(model.experts), experts / all});
    classes.push_back({"head and router", Precision::bf16, Precision::bf16, rest / all});
    return classes;
}

PrecisionLaw::PrecisionLaw(const std::string& anchors_file) {
    Problems problems;
    const YamlField root(load_yaml(anchors_file), anchors_file, "", problems);
    root.allow_only({"storage", "accumulation", "published"});
    for (const YamlField& row : root["storage"].items()) {
        row.allow_only({"format", "snr_db"});
        stored_[format_of(row["format"])] =
            noise_field(row["snr_db"], [](double decibels) { return std::pow(10, -decibels / 10); });
    }
    for (const YamlField& row : root["accumulation"].items()) {
        row.allow_only({"sum", "k", "error"});
        const std::string name = row["sum"].text();
        if (name != "promoted" && name != "hopper") row["sum"].problem("promoted or hopper", "'" + name + "'");
        accumulated_[name == "hopper" ? SumKeeper::hopper : SumKeeper::promoted][row["k"].number(1)] =
            noise_field(row["error"], [](double error) { return error * error; });
    }
    for (const YamlField& row : root["published"].items()) {
        row.allow_only({"name", "weights", "activations", "loss_percent", "bound", "fitted", "measured_on", "source"});
        published_.push_back({.name = row["name"].text(),
                              .measured_on = row["measured_on"].text(),
                              .source = row["source"].text(),
                              .weights = format_of(row["weights"]),
                              .activations = format_of(row["activations"]),
                              .percent = row["loss_percent"].number(),
                              .bound = row["bound"].exists() && row["bound"].boolean(),
                              .fitted = row["fitted"].exists() && row["fitted"].boolean()});
    }
    const auto fitted = std::count_if(published_.begin(), published_.end(),
                                      [](const PublishedLoss& one) { return one.fitted && !one.bound; });
    const auto bounds =
        std::count_if(published_.begin(), published_.end(), [](const PublishedLoss& one) { return one.bound; });
    if (fitted != 1) root["published"].problem("one loss with fitted: true", std::to_string(fitted));
    if (bounds != 1) root["published"].problem("one loss with bound: true", std::to_string(bounds));
    problems.throw_if_any();
    fit();
}

void PrecisionLaw::fit() {
    for (const PublishedLoss& anchor : published_) {
        const double noise = noise_of(anchor).normal;
        most_noise_ = std::max(most_noise_, noise);
        if (anchor.bound) {
            bound_percent_ = anchor.percent;
            bound_noise_ = noise;
        } else {
            most_percent_per_noise_ = std::max(most_percent_per_noise_, anchor.percent / noise);
        }
        if (anchor.fitted) percent_per_noise_ = anchor.percent / noise;
    }
}

const NoisePower& PrecisionLaw::stored_noise(Precision format) const {
    const auto known = stored_.find(format);
    if (known == stored_.end())
        throw InputError(fmt::format("the error of {} was not measured: it has no reference here", to_string(format)));
    return known->second;
}

// Noise of two factors that know nothing of each other adds up; what BF16 has is what the others are held against.
NoisePower PrecisionLaw::noise(Precision weights, Precision activations, double k, SumKeeper keeper) const {
    const NoisePower& reference = stored_noise(Precision::bf16);
    const NoisePower both = stored_noise(weights) + stored_noise(activations);
    NoisePower noise{std::max(0.0, both.normal - 2 * reference.normal),
                     std::max(0.0, both.heavy_tailed - 2 * reference.heavy_tailed),
                     std::max(0.0, both.outlier_channels - 2 * reference.outlier_channels)};
    return is_fp8(activations) ? noise + accumulation_noise(keeper, k) : noise;
}

// Linear in the logarithm of K; beyond the ends as at them.
NoisePower PrecisionLaw::accumulation_noise(SumKeeper keeper, double k) const {
    const auto known = accumulated_.find(keeper);
    if (known == accumulated_.end() || known->second.empty()) return {};
    const auto above = known->second.lower_bound(k);
    if (above == known->second.begin()) return above->second;
    const auto below = std::prev(above);
    if (above == known->second.end()) return below->second;
    const double share = std::log(k / below->first) / std::log(above->first / below->first);
    return (1 - share) * below->second + share * above->second;
}

NoisePower PrecisionLaw::noise_of(const PublishedLoss& anchor) const {
    constexpr double kWidth = 4096;  // those models' own widths are near; noise hardly hangs on K
    return noise(anchor.weights, anchor.activations, kWidth);
}

// The upper end: what published losses allow at most, on the worst of the data, or the published bound. The lower end
// is 0: nobody has published that a format must cost something.
LossEffect PrecisionLaw::loss_effect(const NoisePower& noise) const {
    constexpr double kRounding = 1 + 1e-9;
    const double bound = bound_percent_ * std::min(1.0, noise.normal / bound_noise_);
    return {.percent = percent_per_noise_ * noise.normal,
            .low = 0,
            .high = std::max(bound, most_percent_per_noise_ * noise.worst()),
            .outside = noise.normal > most_noise_ * kRounding};
}

LossEffect PrecisionLaw::loss_effect(const Model& model, SumKeeper keeper) const {
    NoisePower all;
    for (const PrecisionClass& one : precision_classes(model))
        all = all + one.share * noise(one.weights, one.activations, model.hidden, keeper);
    return loss_effect(all);
}

}  // namespace strata
