#include "sim/result/step_trace.hpp"

#include <nlohmann/json.hpp>

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

// Begins and ends by turns, in us: a step has ten thousand of them.
Json to_json(const std::vector<Interval>& intervals) {
    Json times = Json::array();
    for (const Interval& interval : intervals) {
        times.push_back(to_us(interval.begin));
        times.push_back(to_us(interval.end));
    }
    return times;
}

std::vector<Interval> intervals_from(const Json& times) {
    std::vector<Interval> intervals;
    for (std::size_t i = 0; i + 1 < times.size(); i += 2)
        intervals.push_back({Seconds(times.at(i).get<double>() * 1e-6), Seconds(times.at(i + 1).get<double>() * 1e-6)});
    return intervals;
}

}  // namespace

nlohmann::ordered_json to_json(const std::vector<RankTrace>& traces) {
    Json ranks = Json::array();
    for (const RankTrace& trace : traces) {
        Json parts = Json::array();
        for (const BusyPart& part : trace.parts)
            parts.push_back({{"name", part.name}, {"busy_us", to_json(part.busy)}});
        ranks.push_back({{"rank", trace.name},
                         {"role", trace.role},
                         {"makespan_us", to_us(trace.timeline.makespan)},
                         {"tasks_us", to_json(trace.timeline.tasks)},
                         {"parts", parts}});
    }
    return ranks;
}

std::vector<RankTrace> traces_from_json(const nlohmann::ordered_json& json) {
    std::vector<RankTrace> traces;
    for (const Json& rank : json) {
        RankTrace trace{rank.at("rank"), rank.at("role"), {}, {}};
        trace.timeline.makespan = Seconds(rank.at("makespan_us").get<double>() * 1e-6);
        trace.timeline.tasks = intervals_from(rank.at("tasks_us"));
        for (const Json& part : rank.at("parts"))
            trace.parts.push_back({part.at("name"), intervals_from(part.at("busy_us"))});
        traces.push_back(std::move(trace));
    }
    return traces;
}

}  // namespace strata
