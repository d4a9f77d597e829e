// When a shared wire is free, for requests that do not come in the order in which they will need it: time is cut into
// slots, each keeps how much of it is taken, and a full slot knows a later one that may have room. A reservation costs
// a few steps however far ahead the wire is booked. (One next-free time would let a request that comes late to the
// wire hold up all that are called after it.)
#pragma once

#include <cstdint>
#include <vector>

namespace strata {

class SlotCalendar {
public:
    // Seconds; beyond `slots` slots after the earliest time that is still asked for nothing is kept.
    explicit SlotCalendar(double slot, std::size_t slots = 1 << 14);

    // No reservation will be made before `time` any more.
    void advance(double time);
    // Takes `duration` from `ready` on as soon as there is room, in pieces if need be; says when it is over.
    double reserve(double ready, double duration);

private:
    std::uint64_t first_with_room(std::uint64_t slot);

    double slot_, per_second_;
    std::uint64_t base_ = 0, top_ = 0, mask_;  // slots that can be taken begin at base; none is taken from top on
    std::vector<float> taken_;                 // seconds of each slot, a ring
    std::vector<std::uint32_t> skip_;          // slots to go on, where a slot is full
};

}  // namespace strata
