#include "hwmodels/fabric/flow_simulation.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <stdexcept>

#include "hwmodels/fabric/flow_folding.hpp"

namespace strata {

namespace {

// What is left of a link while rates are found.
struct LinkState {
    double free = 0;    // bytes per second
    double demand = 0;  // shares of the flows whose rates are still rising
    int rising = 0;     // how many those are
};

class Sharing {
public:
    Sharing(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows)
        : capacity_(capacity), flows_(flows), on_link_(capacity.size()), rate_(flows.size()) {
        for (std::size_t f = 0; f < flows.size(); ++f)
            for (const LinkShare& s : flows[f].shares)
                on_link_.at(static_cast<std::size_t>(s.link)).push_back(static_cast<int>(f));
    }

    // All rates rise together; when a link is full its flows stop there and the others rise on.
    const std::vector<double>& rates(const std::vector<bool>& active) {
        using Level = std::pair<double, int>;  // at which the link is full
        std::priority_queue<Level, std::vector<Level>, std::greater<>> full_at;
        std::vector<LinkState> links = idle();
        std::vector<bool> rising(active);
        std::fill(rate_.begin(), rate_.end(), 0.0);
        for (std::size_t f = 0; f < flows_.size(); ++f)
            for (const LinkShare& s : flows_[f].shares)
                if (active[f]) {
                    LinkState& link = links[static_cast<std::size_t>(s.link)];
                    link.demand += s.share;
                    ++link.rising;
                }
        const auto level = [&](int l) {
            const LinkState& link = links[static_cast<std::size_t>(l)];
            return std::max(0.0, link.free) / link.demand;
        };
        for (int l = 0; l < static_cast<int>(links.size()); ++l)
            if (links[static_cast<std::size_t>(l)].rising > 0) full_at.push({level(l), l});
        while (!full_at.empty()) {
            const auto [rate, l] = full_at.top();
            full_at.pop();
            if (links[static_cast<std::size_t>(l)].rising == 0) continue;
            if (const double now = level(l); now > rate * (1 + 1e-12)) {  // flows have stopped elsewhere since
                full_at.push({now, l});
                continue;
            }
            for (const int f : on_link_[static_cast<std::size_t>(l)])
                if (rising[static_cast<std::size_t>(f)]) stop(static_cast<std::size_t>(f), rate, rising, links);
        }
        return rate_;
    }

private:
    std::vector<LinkState> idle() const {
        std::vector<LinkState> links;
        for (const Bandwidth c : capacity_) links.push_back({.free = c.si()});
        return links;
    }

    void stop(std::size_t f, double rate, std::vector<bool>& rising, std::vector<LinkState>& links) {
        rate_[f] = rate;
        rising[f] = false;
        for (const LinkShare& s : flows_[f].shares) {
            LinkState& link = links[static_cast<std::size_t>(s.link)];
            link.free -= s.share * rate;
            link.demand -= s.share;
            --link.rising;
        }
    }

    const std::vector<Bandwidth>& capacity_;
    const std::vector<Flow>& flows_;
    std::vector<std::vector<int>> on_link_;
    std::vector<double> rate_;
};

// Each flow and link by itself.
FlowTimes play(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows) {
    FlowTimes times;
    times.arrival.resize(flows.size());
    times.carried.resize(capacity.size());
    std::vector<double> left, busy(capacity.size());
    std::vector<bool> active;
    for (const Flow& flow : flows) {
        left.push_back(flow.bytes.si());
        active.push_back(!flow.shares.empty() && flow.bytes > Bytes(0));
    }
    Sharing sharing(capacity, flows);
    double now = 0;
    while (std::find(active.begin(), active.end(), true) != active.end()) {
        const std::vector<double>& rate = sharing.rates(active);
        ++times.events;
        double step = std::numeric_limits<double>::infinity();
        for (std::size_t f = 0; f < flows.size(); ++f)
            if (active[f]) step = std::min(step, left[f] / rate[f]);
        if (!(step < std::numeric_limits<double>::infinity()))
            throw std::logic_error("a flow over a link of no capacity");
        now += step;
        std::vector<double> used(capacity.size());
        for (std::size_t f = 0; f < flows.size(); ++f) {
            if (!active[f]) continue;
            for (const LinkShare& s : flows[f].shares) used[static_cast<std::size_t>(s.link)] += s.share * rate[f];
            left[f] -= rate[f] * step;
            if (left[f] > flows[f].bytes.si() * 1e-12) continue;
            active[f] = false;
            times.arrival[f] = Seconds(now) + flows[f].latency;
        }
        for (std::size_t l = 0; l < used.size(); ++l) {
            times.carried[l] += Bytes(used[l] * step);
            times.most_used = std::max(times.most_used, used[l] / capacity[l].si());
            busy[l] += used[l] / capacity[l].si() * step;
        }
    }
    for (const Seconds arrival : times.arrival) times.time = std::max(times.time, arrival);
    if (const auto most = std::max_element(busy.begin(), busy.end()); most != busy.end() && *most > 0)
        times.bottleneck = static_cast<int>(most - busy.begin());
    return times;
}

}  // namespace

FlowTimes flow_times(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows, Folding folding) {
    for (const Flow& flow : flows)
        for (const LinkShare& s : flow.shares)
            if (s.link < 0 || static_cast<std::size_t>(s.link) >= capacity.size())
                throw std::logic_error("a flow over a link that is not there");
    if (folding == Folding::none) return play(capacity, flows);
    const FlowClasses classes = flow_classes(capacity, flows);
    const FoldedFlows folded = fold(capacity, flows, classes);
    const FlowTimes played = play(folded.capacity, folded.flows);
    FlowTimes times{.time = played.time,
                    .arrival = {},
                    .carried = {},
                    .bottleneck = -1,
                    .most_used = played.most_used,
                    .events = played.events};
    for (const int c : classes.of_flow) times.arrival.push_back(played.arrival[static_cast<std::size_t>(c)]);
    for (const int c : classes.of_link) times.carried.push_back(played.carried[static_cast<std::size_t>(c)]);
    if (const auto first = std::find(classes.of_link.begin(), classes.of_link.end(), played.bottleneck);
        first != classes.of_link.end())
        times.bottleneck = static_cast<int>(first - classes.of_link.begin());
    return times;
}

std::vector<Bandwidth> fair_rates(const std::vector<Bandwidth>& capacity, const std::vector<Flow>& flows) {
    Sharing sharing(capacity, flows);
    std::vector<Bandwidth> rates;
    for (const double rate : sharing.rates(std::vector<bool>(flows.size(), true))) rates.push_back(Bandwidth(rate));
    return rates;
}

std::vector<Bandwidth> capacities(const Fabric& fabric) {
    std::vector<Bandwidth> all;
    for (const FabricLink& link : fabric.links()) all.push_back(link.bandwidth);
    return all;
}

}  // namespace strata
