#include "hwmodels/memory/service_queue.hpp"

#include <algorithm>

#include "hwmodels/memory/simulated_time.hpp"

namespace strata {

sc_core::sc_time ServiceQueue::latency_of(const ServiceRate& rate) { return to_sc_time(rate.latency); }

sc_core::sc_time ServiceQueue::serve(const sc_core::sc_time& arrival, Bytes bytes, double requests, double cost,
                                     std::uint64_t user) {
    Seconds occupied = bytes > Bytes(0) ? bytes * cost / rate_.bandwidth : Seconds(0);
    if (rate_.requests_per_s > 0) occupied = std::max(occupied, Seconds(requests / rate_.requests_per_s));
    const sc_core::sc_time service = to_sc_time(occupied);
    const sc_core::sc_time start = std::max(arrival, free_at_);
    queued_ += start - arrival;
    busy_ += service;
    served_ += bytes;
    free_at_ = start + service;
    log_.add(user, start, free_at_);
    return free_at_ + latency_;
}

Seconds ServiceQueue::busy() const { return to_seconds(busy_); }
Seconds ServiceQueue::queued() const { return to_seconds(queued_); }

}  // namespace strata
