#include "hwmodels/fabric/packet/packet_link.hpp"

#include <algorithm>
#include <cmath>

#include "hwmodels/fabric/packet/packet_fabric.hpp"

namespace strata {

namespace {

Picoseconds now_ps() { return sc_core::sc_time_stamp().value(); }

}  // namespace

PacketLink::PacketLink(const sc_core::sc_module_name& module_name, const Spec& spec, PacketFabric& fabric)
    : sc_module(module_name),
      spec_(spec),
      fabric_(fabric),
      waiting_(static_cast<std::size_t>(spec.inputs) * static_cast<std::size_t>(spec.channels)),
      turns_(static_cast<std::size_t>(spec.channels)),
      room_(static_cast<std::size_t>(spec.channels), spec.buffer_packets) {
    SC_HAS_PROCESS(PacketLink);
    SC_METHOD(send);
    sensitive << wake_;
    dont_initialize();
    SC_METHOD(deliver);
    sensitive << arrival_;
    dont_initialize();
}

void PacketLink::wake_at(Picoseconds at) {  // an earlier notification stays
    const Picoseconds now = now_ps();
    wake_.notify(sc_core::sc_time::from_value(at > now ? at - now : 0));
}

void PacketLink::request(int input, PacketId packet) {
    const int channel = channel_of(fabric_.packets()[packet].hops);
    PacketQueue& here = queue(input, channel);
    if (here.empty()) turns_[static_cast<std::size_t>(channel)].push_back(input);
    here.push(fabric_.packets(), packet);
    ++waiting_packets_;
    wake_at(free_at_);
}

void PacketLink::offer(const PacketStream& stream) {
    streams_.push_back(stream);
    wake_at(free_at_);
}

void PacketLink::give_back_room(int channel, Picoseconds at) {
    coming_back_.push({at + spec_.flight, channel});
    if (somebody_waits()) wake_at(std::max(free_at_, at + spec_.flight));
}

void PacketLink::take_back_room(Picoseconds now) {
    for (; !coming_back_.empty() && coming_back_.top().at <= now; coming_back_.pop()) {
        ++room_[static_cast<std::size_t>(coming_back_.top().channel)];
        --in_buffer_;
    }
}

bool PacketLink::is_blocked() const {
    return somebody_waits() && std::find(room_.begin(), room_.end(), 0) != room_.end();
}

PacketId PacketLink::next_of_streams() {
    while (!streams_.empty()) {
        PacketStream stream = streams_.front();
        streams_.pop_front();
        const PacketId id = fabric_.make_packet(stream.message);
        if (id == kNoPacket) continue;  // the message's other first links have taken the rest
        if (stream.left != PacketStream::kShared) --stream.left;
        if (stream.left != 0) streams_.push_back(stream);
        return id;
    }
    return kNoPacket;
}

// Inputs take turns, and on channel 0 with them what starts here.
PacketId PacketLink::choose_from(int channel) {
    std::deque<int>& turns = turns_[static_cast<std::size_t>(channel)];
    if (channel == 0 && (streams_turn_ || turns.empty())) {
        streams_turn_ = false;
        if (const PacketId id = next_of_streams(); id != kNoPacket) return id;
    }
    if (turns.empty()) return kNoPacket;
    if (channel == 0) streams_turn_ = true;
    const int input = turns.front();
    turns.pop_front();
    PacketQueue& from = queue(input, channel);
    const PacketId id = from.pop(fabric_.packets());
    if (!from.empty()) turns.push_back(input);
    --waiting_packets_;
    return id;
}

PacketId PacketLink::choose() {
    for (int i = 0; i < spec_.channels; ++i) {
        const int channel = (next_channel_ + i) % spec_.channels;
        if (room_[static_cast<std::size_t>(channel)] == 0) continue;
        if (const PacketId id = choose_from(channel); id != kNoPacket) {
            next_channel_ = channel + 1;
            return id;
        }
    }
    return kNoPacket;
}

void PacketLink::send() {
    const Picoseconds now = now_ps();
    take_back_room(now);
    if (now < free_at_) return wake_at(free_at_);
    if (const PacketId id = choose(); id != kNoPacket) return put_on_wire(id, now);
    if (somebody_waits() && !coming_back_.empty()) wake_at(coming_back_.top().at);
}

void PacketLink::put_on_wire(PacketId id, Picoseconds now) {
    Packet& packet = fabric_.packets()[id];
    const Packet before = packet;
    const auto own = static_cast<Picoseconds>(std::llround(packet.bytes / spec_.bytes_per_ps));
    const Picoseconds duration = std::max(own, packet.tail_in > now ? packet.tail_in - now : 0);
    free_at_ = now + duration;
    busy_ += duration;
    carried_ += packet.bytes;
    --room_[static_cast<std::size_t>(channel_of(packet.hops))];
    ++in_buffer_;
    packet.came_by = spec_.index;
    ++packet.hops;
    packet.tail_in = free_at_ + spec_.flight;
    in_flight_.push_back({now + spec_.flight, id});
    if (in_flight_.size() == 1) arrival_.notify(sc_core::sc_time::from_value(spec_.flight));
    if (somebody_waits()) wake_at(free_at_);
    fabric_.has_left(before, free_at_);
}

void PacketLink::deliver() {
    const Picoseconds now = now_ps();
    while (!in_flight_.empty() && in_flight_.front().head_at <= now) {
        const PacketId id = in_flight_.front().packet;
        in_flight_.pop_front();
        fabric_.has_come(spec_.index, id);
    }
    if (!in_flight_.empty()) arrival_.notify(sc_core::sc_time::from_value(in_flight_.front().head_at - now));
}

}  // namespace strata
