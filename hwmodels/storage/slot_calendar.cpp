#include "hwmodels/storage/slot_calendar.hpp"

#include <algorithm>

namespace strata {

namespace {
std::size_t power_of_two(std::size_t least) {
    std::size_t size = 1;
    while (size < least) size *= 2;
    return size;
}
}  // namespace

SlotCalendar::SlotCalendar(double slot, std::size_t slots)
    : slot_(slot), per_second_(1 / slot), mask_(power_of_two(slots) - 1), taken_(mask_ + 1), skip_(mask_ + 1) {}

void SlotCalendar::advance(double time) {
    const auto base = static_cast<std::uint64_t>(time * per_second_);
    if (base <= base_) return;
    for (const std::uint64_t past = std::min(base, top_); base_ < past; ++base_) {
        taken_[base_ & mask_] = 0;
        skip_[base_ & mask_] = 0;
    }
    base_ = base;
}

std::uint64_t SlotCalendar::first_with_room(std::uint64_t slot) {
    if (skip_[slot & mask_] == 0) return slot;
    const std::uint64_t start = slot, horizon = base_ + mask_ + 1;
    while (slot < horizon && skip_[slot & mask_] > 0) slot += skip_[slot & mask_];
    // What was walked over points to the end of the walk from now on.
    for (std::uint64_t at = start; at < slot && at < horizon;) {
        const std::uint32_t step = skip_[at & mask_];
        skip_[at & mask_] = static_cast<std::uint32_t>(slot - at);
        at += step;
    }
    return slot;
}

double SlotCalendar::reserve(double ready, double duration) {
    std::uint64_t slot = std::max(static_cast<std::uint64_t>(ready * per_second_), base_);
    const std::uint64_t horizon = base_ + mask_ + 1;
    double left = duration, end = ready + duration;
    while (left > 0) {
        slot = first_with_room(slot);
        if (slot >= horizon) return std::max(end, double(slot) * slot_ + left);
        float& taken = taken_[slot & mask_];
        top_ = std::max(top_, slot + 1);
        const double piece = std::min(left, slot_ - double(taken));
        taken += static_cast<float>(piece);
        left -= piece;
        end = std::max(end, double(slot) * slot_ + double(taken));
        if (slot_ - double(taken) < 1e-4 * slot_) skip_[slot & mask_] = 1;  // what is left is rounding
        if (piece <= 0) skip_[slot & mask_] = 1;
    }
    return end;
}

}  // namespace strata
