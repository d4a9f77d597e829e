#include "reports/render/search_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/render/csv_cell.hpp"
#include "sim/result/run_json.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isnan(value) ? Json() : Json(value); }

Json to_json(const Settings& settings) {
    Json json = Json::object();
    for (const auto& [path, value] : settings) json[path] = value;
    return json;
}

Json tally_json(const SearchResult& search) {
    Json tallies = Json::array();
    for (const ConstraintTally& tally : search.tally)
        tallies.push_back(
            {{"constraint", tally.constraint.text}, {"failed", tally.failed}, {"without_number", tally.unknown}});
    return tallies;
}

Json refined_json(const SearchResult& search) {
    Json points = Json::array();
    for (std::size_t i = 0; i < search.refined.size(); ++i) {
        const RefinedPoint& refined = search.refined[i];
        Json point{{"point", refined.point},
                   {"settings", to_json(search.screened.plan().settings(refined.point))},
                   {"on_front", refined.on_front},
                   {"recommended", search.recommended == i}};
        for (std::size_t k = 0; k < refined.screened.size(); ++k) {
            Json& values = point["objectives"][search.spec.objectives[k].metric];
            values["analytic"] = number(refined.screened[k]);
            if (search.spec.refine) values["systemc"] = number(refined.refined[k]);
        }
        if (search.spec.refine) {
            point["difference"] = number(refined.difference());
            point["holds_constraints"] = refined.holds;
            point["on_refined_front"] = refined.stays;
        }
        points.push_back(std::move(point));
    }
    return points;
}

Json optimum_json(const SearchOptimum& optimum, const Objective& objective) {
    Json path = Json::array();
    for (const auto& [place, trial] : optimum.found.path)
        path.push_back({{"place", place},
                        {"value", trial.runs ? Json(objective.maximise ? trial.value : -trial.value) : Json()},
                        {"feasible", trial.feasible()}});
    return {{"settings", to_json(optimum.settings)},
            {"value", optimum.best},
            {"best_of_sample", optimum.sample_best},
            {"better", optimum.better},
            {"refined", optimum.refined ? Json(*optimum.refined) : Json()},
            {"ended", optimum.found.ended},
            {"path", path}};
}

}  // namespace

std::string search_csv(const SearchResult& search) {
    const Screened& screened = search.screened;
    std::vector<char> eligible(screened.size(), 0), front(screened.size(), 0);
    for (const std::size_t point : search.eligible) eligible[point] = 1;
    for (const std::size_t point : search.front) front[point] = 1;
    fmt::memory_buffer text;
    const auto out = std::back_inserter(text);
    for (const auto& [path, value] : screened.plan().settings(0)) fmt::format_to(out, "{},", csv_cell(path));
    fmt::format_to(out, "ran,holds_constraints,on_front");
    for (const std::string& metric : screened.metrics()) fmt::format_to(out, ",{}", metric);
    fmt::format_to(out, "\n");
    for (std::size_t i = 0; i < screened.size(); ++i) {
        for (const auto& [path, value] : screened.plan().settings(i)) fmt::format_to(out, "{},", csv_cell(value));
        fmt::format_to(out, "{:d},{:d},{:d}", screened.ran(i), eligible[i] != 0, front[i] != 0);
        for (std::size_t m = 0; m < screened.metrics().size(); ++m)
            if (const double value = screened.value(i, m); std::isnan(value))
                fmt::format_to(out, ",");
            else
                fmt::format_to(out, ",{}", value);
        fmt::format_to(out, "\n");
    }
    return fmt::to_string(text);
}

std::string search_json(const SearchResult& search, const std::string& name, const Manifest& manifest) {
    std::size_t ran = 0;
    for (std::size_t i = 0; i < search.screened.size(); ++i) ran += search.screened.ran(i);
    Json document{{"schema", "strata-search/1"}, {"scenario", name}, {"manifest", to_json(manifest)}};
    document["points"] = {{"all", search.screened.size()},
                          {"ran", ran},
                          {"hold_constraints", search.eligible.size()},
                          {"front", search.front.size()}};
    document["constraints"] = tally_json(search);
    document["obstacles"] = search.screened.obstacles;
    document["refined"] = refined_json(search);
    if (search.spec.refine) document["swapped_pairs"] = search.swapped;
    if (const PointResult* result = search.recommended_result()) {
        document["recommended"] = to_json(*result->run);
        if (result->binding) document["recommended"]["binds"] = to_json(*result->binding);
    }
    if (search.optimum) document["optimum"] = optimum_json(*search.optimum, search.spec.objectives.front());
    return document.dump(1) + "\n";
}

}  // namespace strata
