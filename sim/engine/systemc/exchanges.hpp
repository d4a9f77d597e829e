// Exchanges in which ranks wait for each other: one ends at a rank when all that is for it has arrived. A rank sends
// evenly as long as its own link is occupied, to all its peers alike; what arrives at a rank queues before its link.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "sim/workload/program.hpp"

namespace strata {

// One sender of an exchange: from when to when, and its part of all that is sent.
struct Sending {
    Seconds begin, end;
    double part = 0;
};

// When the last byte has been taken in by a receiver whose link needs `receiving` for all that is for it, the latency
// left out. A queue that is fed with the cumulated share A(t) and takes in at a constant rate is empty at
//   max over t of t + receiving (1 - A(t)),
// and A is linear between begins and ends (Le Boudec and Thiran, Network Calculus, 2001, theorem 1.1.1: a constant rate
// server's output). Receivers of one exchange differ in `receiving` alone.
class Arrivals {
public:
    explicit Arrivals(const std::vector<Sending>& sendings);
    Seconds end(Seconds receiving) const;

private:
    struct Corner {
        Seconds at;
        double left;  // share that is not sent yet
    };
    std::vector<Corner> corners_;
};

class Exchanges {
public:
    // Called for each rank when an exchange's end is known: after its last rank has sent.
    using Arrived = std::function<void(int rank, std::uint32_t task, Seconds at)>;
    Exchanges(const TaskGraph& graph, const std::vector<Variation>& variations, int ranks, Arrived arrived);

    // A rank has sent its part of a task that joins.
    void sent(int rank, std::uint32_t task, Seconds begin, Seconds end);

private:
    struct Meeting {
        std::uint32_t task;
        int first;  // rank
        auto operator<=>(const Meeting&) const = default;
    };
    int size_of(const Task& task) const;
    void finish(const Meeting& meeting, const std::vector<Sending>& sendings);

    const TaskGraph& graph_;
    const std::vector<Variation>& variations_;
    int ranks_;
    Arrived arrived_;
    std::map<Meeting, std::vector<Sending>> open_;  // of ranks that have sent
};

}  // namespace strata
