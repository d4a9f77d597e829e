// One direction of a link in simulated time: what waits at its near end, one packet at a time on the wire, and the
// buffer at its far end. A packet is sent only if the buffer has room for all of it (credits); room comes back when it
// has left there, a flight later. Cut-through, as switches of InfiniBand, NVLink and UB are: a packet can go on as soon
// as its head is there, but its tail leaves no earlier than it has come. No clock: an event for each arrival, and one
// when the wire is free and somebody waits.
#pragma once

#include <deque>
#include <queue>
#include <systemc>

#include "hwmodels/fabric/packet/packet.hpp"

namespace strata {

class PacketFabric;

// Packets of a message that start at this link.
struct PacketStream {
    int message = 0;
    int left = 0;  // packets; kShared: as many as the message has left, whichever of its first links is free
    static constexpr int kShared = -1;
};

class PacketLink : public sc_core::sc_module {
public:
    struct Spec {
        int index = 0;  // in the fabric
        double bytes_per_ps = 0;
        Picoseconds flight = 0;
        int channels = 1;        // virtual channels
        int buffer_packets = 1;  // of a channel
        int inputs = 0;          // links that come into the near end
    };
    PacketLink(const sc_core::sc_module_name& name, const Spec& spec, PacketFabric& fabric);

    // A packet waits at the near end, come by its input of that number.
    void request(int input, PacketId packet);
    void offer(const PacketStream& stream);
    // Room for a packet of the channel is there again at `at`, plus a flight.
    void give_back_room(int channel, Picoseconds at);

    int channel_of(int hops) const { return hops < spec_.channels ? hops : spec_.channels - 1; }
    // Packets that wait before it and lie behind it.
    int occupied() const { return waiting_packets_ + in_buffer_; }
    bool is_blocked() const;
    double carried() const { return carried_; }  // bytes
    Picoseconds busy() const { return busy_; }
    const Spec& spec() const { return spec_; }

private:
    void send();     // method process: the wire is free, or room has come back
    void deliver();  // method process: a head has arrived
    void put_on_wire(PacketId id, Picoseconds now);
    PacketId choose();
    PacketId choose_from(int channel);
    PacketId next_of_streams();
    void take_back_room(Picoseconds now);
    void wake_at(Picoseconds at);
    bool somebody_waits() const { return waiting_packets_ > 0 || !streams_.empty(); }
    PacketQueue& queue(int input, int channel) {
        return waiting_[static_cast<std::size_t>(channel) * static_cast<std::size_t>(spec_.inputs) +
                        static_cast<std::size_t>(input)];
    }

    struct InFlight {
        Picoseconds head_at;
        PacketId packet;
    };
    struct Room {
        Picoseconds at;
        int channel;
        bool operator>(const Room& other) const { return at > other.at; }
    };

    Spec spec_;
    PacketFabric& fabric_;
    std::vector<PacketQueue> waiting_;    // of each input and channel
    std::vector<std::deque<int>> turns_;  // of each channel: inputs that have something, whose turn is first
    std::deque<PacketStream> streams_;    // whose turn is first
    bool streams_turn_ = true;            // of channel 0, beside inputs
    int next_channel_ = 0, waiting_packets_ = 0, in_buffer_ = 0;
    std::vector<int> room_;  // of each channel
    std::priority_queue<Room, std::vector<Room>, std::greater<>> coming_back_;
    std::deque<InFlight> in_flight_;
    Picoseconds free_at_ = 0, busy_ = 0;
    double carried_ = 0;
    sc_core::sc_event wake_, arrival_;
};

}  // namespace strata
