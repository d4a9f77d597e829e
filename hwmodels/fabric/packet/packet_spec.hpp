// What packets on a fabric are like, what is to be sent, and what came of it. No SystemC here: engines hand these over.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "hwmodels/fabric/traffic.hpp"

namespace strata {

// How a packet finds its next link among those of the shortest routes.
enum class PacketRouting : unsigned char {
    hashed,   // always the same for two endpoints, by their hash (static ECMP): packets stay in order
    sprayed,  // in turn over all (packet spraying)
    adaptive  // the one with least waiting before it and behind it
};

// Where packets wait in a switch that they have come into.
enum class Queueing : unsigned char {
    per_output,  // a queue for each output at each input (virtual output queues): none waits for another's output
    fifo         // one queue an input and channel: who is first blocks all behind (Karol et al. 1987)
};

struct PacketSpec {
    // A transaction. InfiniBand's largest MTU (IBTA volume 1: 256 B to 4 KiB), and what RoCE is run with.
    Bytes packet{4096};
    // A packet changes to the next channel at each link (distance classes; Gunther 1981): nobody waits in a circle, on
    // any topology. 0: as many as the longest route has links; with fewer, the last is kept and circles can close.
    int virtual_channels = 0;
    // Room of one channel at a link's far end. 0: two round trips of the link, as lossless Ethernet is given headroom
    // (Guo et al., SIGCOMM 2016), and at least 64. assumed: no vendor publishes its switches' buffers.
    int buffer_packets = 0;
    PacketRouting routing = PacketRouting::sprayed;
    Queueing queueing = Queueing::per_output;
};

// Bytes from an endpoint to another on one layer.
struct Message {
    int from = 0, to = 0;
    LinkClass link_class = LinkClass::scale_up;
    Bytes bytes{};
    // Other messages, which must have arrived before this one leaves; -1: none.
    std::array<int, 2> after{-1, -1};
    int behind = -1;  // another message of its own, of which the last packet must have left; -1: none
    int stage = 0;    // all of the stages before must have arrived, if it waits for no message
    // Switches add its packets up with those of the other messages to its destination that go by the same tree, or copy
    // those of one from its source to all destinations.
    std::shared_ptr<const SwitchTree> tree{};

    bool waits_for_none() const { return after[0] < 0 && after[1] < 0 && behind < 0; }
};

struct PacketTimes {
    Seconds time{};  // when the last message has arrived
    std::vector<Seconds> arrival{};
    std::vector<Bytes> carried{};  // by each link
    std::vector<Seconds> busy{};
    int bottleneck = -1;  // the link that was busy longest; -1: nothing was sent
    long packets = 0, hops = 0;
    long overtaken = 0;  // packets that came after a later one of their message
};

}  // namespace strata
