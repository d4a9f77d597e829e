// One packet under way, and the pool that they live in: a number stands for each, so that queues are lists through it.
#pragma once

#include <cstdint>
#include <vector>

namespace strata {

using PacketId = std::int32_t;
inline constexpr PacketId kNoPacket = -1;
using Picoseconds = std::uint64_t;  // SystemC's count

struct Packet {
    std::int32_t message = 0, number = 0;  // in its message
    std::int32_t to = 0;
    std::int32_t came_by = -1;  // the link whose far buffer it is in; -1: its source
    std::int32_t hops = 0;      // links gone
    PacketId next = kNoPacket;  // in its queue
    double bytes = 0;
    Picoseconds tail_in = 0;  // when all of it is where it waits
};

class PacketPool {
public:
    PacketId take(const Packet& packet) {
        if (free_ == kNoPacket) {
            packets_.push_back(packet);
            return static_cast<PacketId>(packets_.size() - 1);
        }
        const PacketId id = free_;
        free_ = (*this)[id].next;
        (*this)[id] = packet;
        return id;
    }
    void give_back(PacketId id) {
        (*this)[id].next = free_;
        free_ = id;
    }
    Packet& operator[](PacketId id) { return packets_[static_cast<std::size_t>(id)]; }

private:
    std::vector<Packet> packets_;
    PacketId free_ = kNoPacket;
};

struct PacketQueue {
    PacketId head = kNoPacket, tail = kNoPacket;
    bool empty() const { return head == kNoPacket; }
    void push(PacketPool& pool, PacketId id) {
        pool[id].next = kNoPacket;
        if (empty())
            head = id;
        else
            pool[tail].next = id;
        tail = id;
    }
    PacketId pop(PacketPool& pool) {
        const PacketId id = head;
        head = pool[id].next;
        return id;
    }
};

}  // namespace strata
