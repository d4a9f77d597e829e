#include "reports/gate/comparison_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "reports/gate/text_escapes.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShown = 50;  // moves in text and Markdown: a page that can be read

std::string percent_text(const Move& move) {
    return move.percent() ? fmt::format("{:+.3g} %", *move.percent()) : "from 0";
}

std::string note_of(const Move& move) {
    if (!move.failed.empty()) return fmt::format("FAILS {}", fmt::join(move.failed, ", "));
    return move.within_noise ? "within noise" : "";
}

std::string summary(const Comparison& comparison) {
    const auto noise = std::count_if(comparison.moves.begin(), comparison.moves.end(),
                                     [](const Move& move) { return move.within_noise; });
    return fmt::format("{} numbers moved ({} of them within noise), {} are the same, {} lost, {} new, {} failures",
                       comparison.moves.size(), noise, comparison.same, comparison.lost.size(), comparison.added.size(),
                       comparison.failures.size());
}

Json json_of(const Number& number) {
    Json json{{"value", number.value}};
    if (number.band) json["band"] = {number.band->low, number.band->high};
    return json;
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
    std::string text;
    const std::size_t shown = std::min(kShown, comparison.moves.size());
    if (shown > 0)
        text +=
            fmt::format("{:<38} {:>12} {:>12} {:>12} {:>10}  {}\n", "metric", "old", "new", "difference", "", "point");
    for (std::size_t i = 0; i < shown; ++i) {
        const Move& move = comparison.moves[i];
        const std::string note = note_of(move);
        text += fmt::format("{:<38} {:>12.6g} {:>12.6g} {:>+12.4g} {:>10}  {}{}\n", move.metric, move.from.value,
                            move.to.value, move.difference(), percent_text(move), move.point,
                            note.empty() ? "" : ": " + note);
    }
    if (shown < comparison.moves.size())
        text += fmt::format("... and {} more, which moved less (--json has all)\n", comparison.moves.size() - shown);
    for (const std::string& lost : comparison.lost) text += fmt::format("lost: {}\n", lost);
    for (const std::string& added : comparison.added) text += fmt::format("new: {}\n", added);
    return text + summary(comparison) + "\n";
}

std::string comparison_markdown(const Comparison& comparison, const std::string& title) {
    std::string text = fmt::format("### {}\n\n{}\n", markdown_escaped(title), summary(comparison));
    const std::size_t shown = std::min(kShown, comparison.moves.size());
    if (shown > 0) text += "\n| metric | point | old | new | difference | | |\n|---|---|---:|---:|---:|---:|---|\n";
    for (std::size_t i = 0; i < shown; ++i) {
        const Move& move = comparison.moves[i];
        text += fmt::format("| {} | {} | {:.6g} | {:.6g} | {:+.4g} | {} | {} |\n", markdown_escaped(move.metric),
                            markdown_escaped(move.point), move.from.value, move.to.value, move.difference(),
                            percent_text(move), markdown_escaped(note_of(move)));
    }
    if (shown < comparison.moves.size())
        text += fmt::format("\n{} more moved less.\n", comparison.moves.size() - shown);
    if (!comparison.lost.empty() || !comparison.added.empty()) text += "\n";
    for (const std::string& lost : comparison.lost) text += fmt::format("- lost: {}\n", markdown_escaped(lost));
    for (const std::string& added : comparison.added) text += fmt::format("- new: {}\n", markdown_escaped(added));
    return text;
}

Json comparison_json(const Comparison& comparison) {
    Json moves = Json::array();
    for (const Move& move : comparison.moves) {
        Json json{{"point", move.point},
                  {"metric", move.metric},
                  {"old", json_of(move.from)},
                  {"new", json_of(move.to)},
                  {"difference", move.difference()},
                  {"percent", move.percent() ? Json(*move.percent()) : Json()},
                  {"within_noise", move.within_noise}};
        if (!move.failed.empty()) json["failed"] = move.failed;
        moves.push_back(std::move(json));
    }
    return {{"schema", "strata-comparison/1"}, {"moves", moves},          {"same", comparison.same},
            {"lost", comparison.lost},         {"new", comparison.added}, {"failures", comparison.failures}};
}

}  // namespace strata
