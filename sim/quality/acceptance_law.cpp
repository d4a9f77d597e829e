#include "sim/quality/acceptance_law.hpp"

#include <fmt/format.h>

#include "hwmodels/yaml_field.hpp"

namespace strata {

namespace {

double checked(double acceptance) {
    if (!(acceptance >= 0 && acceptance <= 1))
        throw InputError("acceptance", "a probability in [0, 1]", fmt::format("{}", acceptance));
    return acceptance;
}

}  // namespace

// Summed, not divided: exact at p = 1 and near it.
double tokens_per_step(double acceptance, int drafts) {
    double tokens = 1, reached = 1;
    checked(acceptance);
    for (int i = 0; i < drafts; ++i) tokens += reached *= acceptance;
    return tokens;
}

std::vector<double> survival(std::span<const double> of_position) {
    std::vector<double> survives;
    double reached = 1;
    for (const double acceptance : of_position) survives.push_back(reached *= checked(acceptance));
    return survives;
}

double tokens_per_step(std::span<const double> of_position) {
    double tokens = 1;
    for (const double survives : survival(of_position)) tokens += survives;
    return tokens;
}

double acceptance_of(double tokens, int drafts) {
    if (!(drafts >= 1 && tokens >= 1 && tokens <= drafts + 1))
        throw InputError("tokens per step", fmt::format("a number from 1 to {}, drafts and one more", drafts + 1),
                         fmt::format("{}", tokens));
    double low = 0, high = 1;
    for (int halving = 0; halving < 60; ++halving) {
        const double middle = (low + high) / 2;
        (tokens_per_step(middle, drafts) < tokens ? low : high) = middle;
    }
    return high;
}

AcceptanceLaw::AcceptanceLaw(const std::string& anchors_file) {
    Problems problems;
    const YamlField root(load_yaml(anchors_file), anchors_file, "", problems);
    root.allow_only({"published"});
    for (const YamlField& row : root["published"].items()) {
        row.allow_only({"model", "drafter", "drafts", "tokens_per_step", "source"});
        const YamlField tokens = row["tokens_per_step"];
        tokens.allow_only({"from", "to"});
        const PublishedAcceptance one{.model = row["model"].text(),
                                      .drafter = row["drafter"].text(),
                                      .source = row["source"].text(),
                                      .drafts = static_cast<int>(row["drafts"].integer(1)),
                                      .tokens_from = tokens["from"].number(1),
                                      .tokens_to = tokens["to"].number(1)};
        if (one.drafts < 1)
            row["drafts"].problem("at least one draft", std::to_string(one.drafts));
        else if (!(one.tokens_from >= 1 && one.tokens_to >= one.tokens_from && one.tokens_to <= one.drafts + 1))
            tokens.problem(fmt::format("a range within 1 to {}", one.drafts + 1),
                           fmt::format("{} to {}", one.tokens_from, one.tokens_to));
        published_.push_back(one);
    }
    problems.throw_if_any();
}

std::vector<TokensEstimate> AcceptanceLaw::tokens_of(const std::string& model, int drafts) const {
    std::vector<TokensEstimate> estimates;
    for (const PublishedAcceptance& one : published_) {
        if (one.model != model) continue;
        const double low = tokens_per_step(one.acceptance_from(), drafts);
        const double high = tokens_per_step(one.acceptance_to(), drafts);
        estimates.push_back({.tokens = (low + high) / 2,
                             .low = low,
                             .high = high,
                             .origin = drafts == one.drafts ? Origin::published : Origin::modelled,
                             .anchor = &one,
                             .outside = drafts > one.drafts});
    }
    return estimates;
}

}  // namespace strata
