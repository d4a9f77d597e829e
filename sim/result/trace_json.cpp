#include "sim/result/trace_json.hpp"

namespace strata {

using Json = nlohmann::ordered_json;

// Slices are many: four numbers each.
Json to_json(const Trace& trace) {
    Json ops = Json::array(), tracks = Json::array();
    for (const TraceOp& op : trace.ops)
        ops.push_back({{"name", op.name},
                       {"component", op.component},
                       {"origin", op.origin},
                       {"lane", static_cast<int>(op.lane)},
                       {"layer", op.layer},
                       {"batch", op.batch},
                       {"begin_ps", op.begin},
                       {"end_ps", op.end},
                       {"flops", op.flops},
                       {"bytes", op.bytes},
                       {"peers", op.peers},
                       {"after", op.after}});
    for (const TraceTrack& track : trace.tracks) {
        Json slices = Json::array();
        for (const TraceSlice& slice : track.slices) slices.push_back({slice.op, slice.rank, slice.begin, slice.end});
        tracks.push_back({{"resource", track.resource}, {"slices", std::move(slices)}});
    }
    return {{"ops", std::move(ops)}, {"tracks", std::move(tracks)}};
}

Trace trace_from_json(const Json& json) {
    Trace trace;
    for (const Json& op : json.at("ops"))
        trace.ops.push_back({.name = op.at("name"),
                             .component = op.at("component"),
                             .origin = op.at("origin"),
                             .lane = static_cast<Lane>(op.at("lane").get<int>()),
                             .layer = op.at("layer"),
                             .batch = op.at("batch"),
                             .begin = op.at("begin_ps"),
                             .end = op.at("end_ps"),
                             .flops = op.at("flops"),
                             .bytes = op.at("bytes"),
                             .peers = op.at("peers"),
                             .after = op.at("after")});
    for (const Json& track : json.at("tracks")) {
        TraceTrack& read = trace.tracks.emplace_back(TraceTrack{.resource = track.at("resource")});
        for (const Json& slice : track.at("slices"))
            read.slices.push_back({slice.at(0), slice.at(1), slice.at(2), slice.at(3)});
    }
    return trace;
}

}  // namespace strata
