#include "sim/scenario/routing_field.hpp"

#include <filesystem>

#include "sim/scenario/choices.hpp"

namespace strata {

namespace {

const std::vector<std::string> kLawFields{"law",    "exponent",    "exponents",      "largest", "half_life",
                                          "topics", "topic_boost", "token_exponent", "seed"};

Popularity read_popularity(const YamlField& field) {
    Popularity popularity;
    popularity.law = one_of<PopularityLaw>(field["law"], {{"balanced", PopularityLaw::balanced},
                                                          {"zipf", PopularityLaw::zipf},
                                                          {"power_density", PopularityLaw::power_density}});
    const bool skewed = popularity.law != PopularityLaw::balanced;
    if (skewed == (field["exponent"].exists() == field["exponents"].exists()))
        field.problem(skewed ? "one of 'exponent' and 'exponents' (one a layer)"
                             : "neither 'exponent' nor 'exponents': a balanced law has none");
    if (field["exponent"].exists()) popularity.exponents = {at_least(field["exponent"], 0, 0)};
    if (field["exponents"].exists())
        for (const YamlField& exponent : field["exponents"].items())
            popularity.exponents.push_back(at_least(exponent, 0, 0));
    popularity.largest = at_least(field["largest"], 1, 0);
    if (field["half_life"].exists()) popularity.half_life = at_least(field["half_life"], 1, 1);
    return popularity;
}

std::string path_beside(const YamlField& field, const std::string& file) {
    if (!field.exists()) return "";
    const std::filesystem::path path = field.text();
    return path.is_absolute() ? path.string() : (std::filesystem::path(file).parent_path() / path).string();
}

// "17, 42": two whole numbers.
std::array<int, 2> pair_of(const YamlField& field) {
    const std::vector<YamlField> items = field.items();
    if (items.size() != 2) {
        field.problem("two whole numbers, such as [17, 42]");
        return {};
    }
    return {whole(items[0], 0, 0, 1'000'000), whole(items[1], 0, 0, 1'000'000)};
}

std::vector<ExpertSwap> read_swaps(const YamlField& field) {
    std::vector<ExpertSwap> swaps;
    for (const YamlField& item : field.items()) {
        item.allow_only({"layer", "experts", "ranks"});
        bool whole_swap = true;
        for (const char* name : {"layer", "experts", "ranks"})
            if (!item[name].exists()) {
                item[name].problem("a swap needs a layer, two experts and the ranks that they are on");
                whole_swap = false;
            }
        if (!whole_swap) continue;
        swaps.push_back({.layer = whole(item["layer"], 0, 0, 1'000'000),
                         .experts = pair_of(item["experts"]),
                         .ranks = pair_of(item["ranks"])});
    }
    return swaps;
}

}  // namespace

std::optional<RoutingDials> read_routing(const YamlField& field, const std::string& file) {
    if (!field.exists()) return std::nullopt;
    std::vector<std::string> known{"counts", "tokens"};
    known.insert(known.end(), kLawFields.begin(), kLawFields.end());
    field.allow_only(known);
    RoutingDials dials;
    dials.seed = static_cast<std::uint64_t>(whole(field["seed"], 0, 0, 1'000'000));
    if (field["counts"].exists() || field["tokens"].exists()) {
        for (const std::string& name : kLawFields)
            if (name != "seed" && field[name].exists())
                field[name].problem("this field belongs to a law; a trace says itself where tokens go");
        dials.counts_file = path_beside(field["counts"], file);
        dials.tokens_file = path_beside(field["tokens"], file);
        return dials;
    }
    dials.popularity = read_popularity(field);
    dials.topics = {.count = whole(field["topics"], 1, 1, 1'000'000), .boost = at_least(field["topic_boost"], 0, 0)};
    dials.token_exponent = at_least(field["token_exponent"], 0, 0);
    return dials;
}

ExpertDials read_expert_dials(const YamlField& field, bool routing) {
    ExpertDials dials;
    dials.redundant = whole(field["redundant"], 0, 0, 1'000'000);
    for (const char* name : {"order", "learned", "age", "swaps"})
        if (!routing && field[name].exists())
            field[name].problem("this field needs a workload.routing: where tokens spread evenly all orders are alike");
    if (field["order"].exists())
        dials.order = one_of<ExpertOrder>(field["order"], {{"linear", ExpertOrder::linear},
                                                           {"random", ExpertOrder::random},
                                                           {"eplb", ExpertOrder::eplb},
                                                           {"eplb_global", ExpertOrder::eplb_global},
                                                           {"partition", ExpertOrder::partition}});
    dials.learned = whole(field["learned"], 1, dials.learned, 1'000'000);
    dials.age = whole(field["age"], 0, 0, 1'000'000);
    if (field["swaps"].exists()) dials.swaps = read_swaps(field["swaps"]);
    return dials;
}

}  // namespace strata
