#include "sim/engine/systemc/exchanges.hpp"

#include <algorithm>

namespace strata {

Arrivals::Arrivals(const std::vector<Sending>& sendings) {
    // What is sent per time changes by a step at each begin and end; a sending that takes no time is a step of A
    // itself.
    struct Change {
        Seconds at;
        double rate, step;
    };
    std::vector<Change> changes;
    double all = 0;
    for (const Sending& one : sendings) all += one.part;
    for (const Sending& one : sendings) {
        const double part = all > 0 ? one.part / all : 0;
        const Seconds lasts = one.end - one.begin;
        if (lasts > Seconds(0)) {
            changes.push_back({one.begin, part / lasts.si(), 0});
            changes.push_back({one.end, -part / lasts.si(), 0});
        } else {
            changes.push_back({one.end, 0, part});
        }
    }
    std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.at < b.at; });
    double sent = 0, rate = 0;
    Seconds now = changes.front().at;
    for (const Change& change : changes) {
        sent += rate * (change.at - now).si();
        now = change.at;
        if (corners_.empty() || corners_.back().at < now) corners_.push_back({now, 1 - sent});
        sent += change.step;
        rate += change.rate;
    }
    corners_.push_back({now, 0});  // all is sent, whatever rounding says
}

Seconds Arrivals::end(Seconds receiving) const {
    Seconds last;
    for (const Corner& corner : corners_) last = std::max(last, corner.at + receiving * std::max(0.0, corner.left));
    return last;
}

Exchanges::Exchanges(const TaskGraph& graph, const std::vector<Variation>& variations, int ranks, Arrived arrived)
    : graph_(graph), variations_(variations), ranks_(ranks), arrived_(std::move(arrived)) {}

// Experts' exchanges of ranks that differ join all of them: one expert group is simulated. Otherwise as many neighbours
// as the task says, of those that are simulated.
int Exchanges::size_of(const Task& task) const {
    return task.variation >= 0 ? ranks_ : std::clamp(task.peers, 1, ranks_);
}

void Exchanges::sent(int rank, std::uint32_t index, Seconds begin, Seconds end) {
    const Task& task = graph_[index];
    const int size = size_of(task), first = rank / size * size;
    std::vector<Sending>& sendings = open_[{index, first}];
    const double part = task.variation < 0 ? 1 : variations_[std::size_t(task.variation)].done[std::size_t(rank)];
    sendings.push_back({begin, end, part});
    if (static_cast<int>(sendings.size()) < std::min(size, ranks_ - first)) return;
    finish({index, first}, sendings);
    open_.erase({index, first});
}

void Exchanges::finish(const Meeting& meeting, const std::vector<Sending>& sendings) {
    const Task& task = graph_[meeting.task];
    const Arrivals arrivals(sendings);
    const Seconds wire = task.duration - task.latency;
    for (int i = 0; i < static_cast<int>(sendings.size()); ++i) {
        const int rank = meeting.first + i;
        const double received =
            task.variation < 0 ? 1 : variations_[std::size_t(task.variation)].received[std::size_t(rank)];
        arrived_(rank, meeting.task, arrivals.end(wire * received) + task.latency);
    }
}

}  // namespace strata
