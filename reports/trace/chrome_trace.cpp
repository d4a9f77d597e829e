// Chrome's trace events: a process for each place that has resources, a thread for each resource.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"
#include "reports/trace/trace_files.hpp"

namespace strata {

namespace {

using Json = nlohmann::ordered_json;

double in_us(TraceTime time) { return double(time) / 1e6; }

Json named(const char* what, int process, int thread, const std::string& name) {
    return {{"ph", "M"}, {"name", what}, {"pid", process}, {"tid", thread}, {"args", {{"name", name}}}};
}

}  // namespace

std::string chrome_trace(const Trace& trace) {
    Json events = Json::array();
    std::map<std::string, int> processes;
    for (std::size_t i = 0; i < trace.tracks.size(); ++i) {
        const TraceTrack& track = trace.tracks[i];
        const std::size_t dot = track.resource.rfind('.');
        const std::string place = dot == std::string::npos ? "rank" : track.resource.substr(0, dot);
        const auto [process, fresh] = processes.emplace(place, static_cast<int>(processes.size()) + 1);
        const int thread = static_cast<int>(i) + 1;
        if (fresh) events.push_back(named("process_name", process->second, 0, place));
        events.push_back(named("thread_name", process->second, thread, track.resource.substr(dot + 1)));
        for (const TraceSlice& slice : track.slices) {
            const TraceOp& op = trace.ops[slice.op];
            events.push_back({{"ph", "X"},
                              {"name", op.name},
                              {"cat", op.component},
                              {"pid", process->second},
                              {"tid", thread},
                              {"ts", in_us(slice.begin)},
                              {"dur", in_us(slice.end - slice.begin)},
                              {"args", {{"layer", op.layer}, {"rank", slice.rank}, {"time is", op.origin}}}});
        }
    }
    return Json{{"displayTimeUnit", "ns"}, {"traceEvents", std::move(events)}}.dump() + "\n";
}

std::string trace_file(const Trace& trace, const std::string& file_name) {
    const auto ends_with = [&](const std::string& ending) {
        return file_name.size() > ending.size() &&
               file_name.compare(file_name.size() - ending.size(), ending.size(), ending) == 0;
    };
    if (ends_with(".pftrace")) return perfetto_trace(trace);
    if (ends_with(".json")) return chrome_trace(trace);
    throw InputError("--trace", "a file name that ends in .pftrace (Perfetto) or .json (Chrome)",
                     "'" + file_name + "'");
}

}  // namespace strata
