// How every memory and link here serves: in order of arrival, one request at a time, each occupying the part for its
// bytes over the bandwidth (or its count of reads over the rate of reads, if that is longer); latency comes after and
// overlaps with the next request. No process and no event of its own: a request costs a few additions.
#pragma once

#include <systemc>

#include "hwmodels/memory/busy_log.hpp"
#include "hwmodels/units.hpp"

namespace strata {

struct ServiceRate {
    Bandwidth bandwidth;
    double requests_per_s = 0;  // 0: only bytes count
    Seconds latency{};
};

class ServiceQueue {
public:
    explicit ServiceQueue(const ServiceRate& rate) : rate_(rate), latency_(latency_of(rate)) {}

    // When a request that arrives at `arrival` is through, latency included. Calls come in order of arrival.
    // A byte takes `cost` times what it takes at the bandwidth; `user` is who the log says it was busy with.
    sc_core::sc_time serve(const sc_core::sc_time& arrival, Bytes bytes, double requests = 0, double cost = 1,
                           std::uint64_t user = 0);
    BusyLog& log() { return log_; }
    const BusyLog& log() const { return log_; }

    const ServiceRate& rate() const { return rate_; }
    Bytes served() const { return served_; }
    Seconds busy() const;    // occupied
    Seconds queued() const;  // waited in the queue, summed over requests

private:
    static sc_core::sc_time latency_of(const ServiceRate& rate);

    ServiceRate rate_;
    sc_core::sc_time latency_, free_at_, busy_, queued_;
    Bytes served_;
    BusyLog log_;
};

}  // namespace strata
