#include "sim/scenario/optical_field.hpp"

#include "sim/scenario/choices.hpp"
#include "sim/scenario/placement_field.hpp"

namespace strata {

namespace {

PageMode mode_of(const YamlField& field) {
    return one_of<PageMode>(field, {{"tiny", PageMode::tiny},
                                    {"small", PageMode::small},
                                    {"base", PageMode::base},
                                    {"large", PageMode::large},
                                    {"gundam", PageMode::gundam}});
}

int tiles_of(const YamlField& field) {
    if (!field.exists()) return kTilesOfA4;
    const long long tiles = field.integer(kTilesOfA4);
    if (tiles >= 2 && tiles <= 9) return static_cast<int>(tiles);
    field.problem("2 to 9 tiles, which is what gundam takes", std::to_string(tiles));
    return kTilesOfA4;
}

// A picture can be made smaller, and what was lost does not come back.
std::vector<Fading> read_forgetting(const YamlField& field, const OpticalDials& dials) {
    std::vector<Fading> steps;
    if (!field.exists()) return steps;
    double age = 0, tokens = tokens_of_page(dials, dials.mode);
    for (const YamlField& item : field.items()) {
        item.allow_only({"older_than", "mode"});
        const Fading step{.older_than = at_least(item["older_than"], 1, 1), .mode = mode_of(item["mode"])};
        if (item["older_than"].is_null()) item["older_than"].problem("how many newer pages are not touched", "nothing");
        if (!steps.empty() && step.older_than <= age)
            item["older_than"].problem(fmt::format("more pages than the step before it ({})", age),
                                       fmt::format("{}", step.older_than));
        if (tokens_of_page(dials, step.mode) > tokens)
            item["mode"].problem(
                fmt::format("a mode of at most {} tokens a page: older pages only lose detail", tokens),
                fmt::format("'{}' of {}", to_string(step.mode), tokens_of_page(dials, step.mode)));
        age = step.older_than, tokens = tokens_of_page(dials, step.mode);
        steps.push_back(step);
    }
    return steps;
}

}  // namespace

std::optional<OpticalDials> read_optical(const YamlField& field) {
    if (!field.exists()) return std::nullopt;
    field.allow_only({"mode", "tiles", "share", "text_tokens_per_page", "forgetting"});
    OpticalDials dials;
    dials.mode = mode_of(field["mode"]);
    dials.tiles = tiles_of(field["tiles"]);
    dials.share = share(field["share"], 1);
    const YamlField per_page = field["text_tokens_per_page"];
    if (!per_page.exists())
        per_page.problem("text tokens of a full page ('strata-print pages' counts them)", "nothing");
    dials.text_tokens_per_page = at_least(per_page, 1, 1);
    dials.forgetting = read_forgetting(field["forgetting"], dials);
    return dials;
}

}  // namespace strata
