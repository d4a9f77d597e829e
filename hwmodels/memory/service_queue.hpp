// How every memory and link here serves: in order of arrival, one request at a time, each occupying the part for its
// bytes over the bandwidth (or its count of reads over the rate of reads, if that is longer); latency comes after and
// overlaps with the next request. No process and no event of its own: a request costs a few additions.
#pragma once

#include <systemc>

#include <vector>

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
    // A byte takes `cost` times what it takes at the bandwidth.
    sc_core::sc_time serve(const sc_core::sc_time& arrival, Bytes bytes, double requests = 0, double cost = 1);

    const ServiceRate& rate() const { return rate_; }
    Bytes served() const { return served_; }
    Seconds busy() const;    // occupied
    Seconds queued() const;  // waited in the queue, summed over requests

    // From now on keeps when it is occupied; times that follow each other at once are one. Costs memory: for a trace.
    struct Occupied {
        Seconds begin, end;
    };
    void record() { records_ = true; }
    const std::vector<Occupied>& recorded() const { return recorded_; }

private:
    void note(const sc_core::sc_time& begin, const sc_core::sc_time& end);
    static sc_core::sc_time latency_of(const ServiceRate& rate);

    ServiceRate rate_;
    sc_core::sc_time latency_, free_at_, busy_, queued_;
    Bytes served_;
    bool records_ = false;
    std::vector<Occupied> recorded_;
};

}  // namespace strata
