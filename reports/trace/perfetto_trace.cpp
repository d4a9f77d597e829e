// Field numbers are those of perfetto's public protos/perfetto/trace/{trace,trace_packet}.proto and
// track_event/{track_descriptor,track_event,debug_annotation}.proto.
#include <fmt/format.h>

#include <map>

#include "reports/trace/protobuf_message.hpp"
#include "reports/trace/trace_files.hpp"

namespace strata {

namespace {

constexpr int kPacket = 1;                                                         // of Trace
constexpr int kTimestamp = 8, kSequence = 10, kEvent = 11, kDescriptor = 60;       // of TracePacket
constexpr int kUuid = 1, kName = 2, kParent = 5;                                   // of TrackDescriptor
constexpr int kNote = 4, kType = 9, kTrack = 11, kCategory = 22, kEventName = 23;  // of TrackEvent
constexpr int kNoteInteger = 4, kNoteText = 6, kNoteName = 10;                     // of DebugAnnotation
enum EventType { begin_of_slice = 1, end_of_slice = 2 };

std::uint64_t in_ns(TraceTime time) { return static_cast<std::uint64_t>((time + 500) / 1000); }

class PerfettoWriter {
public:
    explicit PerfettoWriter(const Trace& trace) : trace_(trace) {
        for (const TraceTrack& track : trace.tracks) {
            const std::uint64_t uuid = track_of(track.resource);
            for (const TraceSlice& slice : track.slices) write(slice, uuid);
        }
    }
    const std::string& bytes() const { return file_.bytes(); }

private:
    // Places are nested as their names are: node0.gpu3.hbm lies in node0.gpu3, and that in node0.
    std::uint64_t track_of(const std::string& place) {
        if (const auto known = tracks_.find(place); known != tracks_.end()) return known->second;
        const std::size_t dot = place.rfind('.');
        ProtobufMessage descriptor;
        if (dot != std::string::npos) descriptor.integer(kParent, track_of(place.substr(0, dot)));
        const std::uint64_t uuid = tracks_.size() + 1;
        tracks_[place] = uuid;
        descriptor.integer(kUuid, uuid).text(kName, place.substr(dot + 1));
        file_.message(kPacket, ProtobufMessage().message(kDescriptor, descriptor).integer(kSequence, 1));
        return uuid;
    }

    void write(const TraceSlice& slice, std::uint64_t track) {
        const TraceOp& op = trace_.ops[slice.op];
        ProtobufMessage begin, end;
        begin.integer(kType, begin_of_slice).integer(kTrack, track).text(kCategory, op.component);
        begin.text(kEventName, op.name)
            .message(kNote, note("layer", op.layer))
            .message(kNote, note("rank", slice.rank));
        begin.message(kNote, ProtobufMessage().text(kNoteName, "time is").text(kNoteText, op.origin));
        end.integer(kType, end_of_slice).integer(kTrack, track);
        event(begin, slice.begin);
        event(end, slice.end);
    }

    static ProtobufMessage note(const char* name, std::int64_t value) {
        return ProtobufMessage().text(kNoteName, name).integer(kNoteInteger, static_cast<std::uint64_t>(value));
    }

    void event(const ProtobufMessage& what, TraceTime at) {
        ProtobufMessage packet;
        packet.integer(kTimestamp, in_ns(at)).message(kEvent, what).integer(kSequence, 1);
        file_.message(kPacket, packet);
    }

    const Trace& trace_;
    std::map<std::string, std::uint64_t> tracks_;
    ProtobufMessage file_;
};

}  // namespace

std::string perfetto_trace(const Trace& trace) { return PerfettoWriter(trace).bytes(); }

}  // namespace strata
