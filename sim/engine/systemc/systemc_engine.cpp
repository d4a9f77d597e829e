#include "sim/engine/systemc/systemc_engine.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <stdexcept>
#include <string>

#include "hwmodels/memory/dram_module.hpp"
#include "hwmodels/memory/one_simulation.hpp"
#include "hwmodels/memory/simulated_time.hpp"
#include "sim/engine/systemc/rank.hpp"

namespace strata {

namespace {

bool ends_sooner(const Rank* a, const Rank* b) { return a->timeline().makespan < b->timeline().makespan; }

Seconds computing(const Rank* rank) { return rank->timeline().busy[static_cast<std::size_t>(Lane::compute)]; }
bool computes_less(const Rank* a, const Rank* b) { return computing(a) < computing(b); }

// What a part has kept of its time; nothing of one that this machine does not have.
template <class Part>
void add_busy(std::vector<BusyPart>& to, const Part& part) {
    const std::vector<BusyInterval>& kept = part.queue().log().intervals();
    if (kept.empty()) return;
    BusyPart& busy = to.emplace_back(BusyPart{part.name(), {}});
    for (auto at = kept.begin(); at != kept.end();) {  // those that follow each other at once are one
        const sc_core::sc_time begin = at->begin;
        sc_core::sc_time end = at->end;
        while (++at != kept.end() && at->begin == end) end = at->end;
        busy.busy.push_back({to_seconds(begin), to_seconds(end)});
    }
}

// One node: its ranks and what they share.
class Node : public sc_core::sc_module {
public:
    // `first` of all ranks, and how many.
    Node(const sc_core::sc_module_name& module_name, const Machine& machine, const Schedule& schedule, int first,
         int count, Exchanges& exchanges, Detail detail)
        : sc_module(module_name),
          nvme_("nvme", {.bandwidth = machine.nvme, .requests_per_s = machine.nvme_iops}),
          cxl_("cxl", {.bandwidth = machine.cxl}) {
        if (detail == Detail::bank)
            host_banks_ =
                std::make_unique<DramModule>("host_memory", machine.host_rows->spec(), machine.host_rows->units());
        // Weights that the host's own cores read are a stream of gigabytes, too many for banks one by one.
        if (detail == Detail::bank)
            host_memory_ = std::make_unique<MemoryModule>("host_cores", ServiceRate{.bandwidth = machine.host_memory});
        else
            host_memory_ = std::make_unique<MemoryModule>("host_memory", ServiceRate{.bandwidth = machine.host_memory});
        for (int i = 0; i < count; ++i) {
            ranks_.push_back(
                std::make_unique<Rank>(("gpu" + std::to_string(i)).c_str(), machine, schedule, first + i, exchanges));
            auto& to_memory = ranks_.back()->host_link.out;
            detail == Detail::bank ? to_memory.bind(host_banks_->in) : to_memory.bind(host_memory_->in);
            ranks_.back()->host_link.out.bind(nvme_.in);
            ranks_.back()->host_link.out.bind(cxl_.in);
            ranks_.back()->engine(Lane::host_compute).way.bind(host_memory_->in);
        }
    }

    const std::vector<std::unique_ptr<Rank>>& ranks() const { return ranks_; }

    void start_logs() {
        for (MemoryModule* memory : {host_memory_.get(), &nvme_, &cxl_}) memory->log().start();
        for (const auto& rank : ranks_) rank->start_logs();
    }

    // What was busy at all. Of host memory by banks there is no log: its banks work side by side.
    std::vector<TraceTrack> tracks(std::size_t tasks) const {
        std::vector<TraceTrack> found;
        for (const auto& rank : ranks_) {
            for (std::size_t lane = 0; lane < kLanes; ++lane)
                add(found, rank->engine(static_cast<Lane>(lane)).name(), rank->log(static_cast<Lane>(lane)), tasks);
            add(found, rank->hbm.name(), rank->hbm.queue().log(), tasks);
            for (const LinkModule* link : {&rank->host_link, &rank->scale_up, &rank->scale_out})
                add(found, link->name(), link->queue().log(), tasks);
        }
        const std::array<const MemoryModule*, 3> shared{host_memory_.get(), &nvme_, &cxl_};
        for (const MemoryModule* memory : shared) add(found, memory->name(), memory->queue().log(), tasks);
        return found;
    }

    // Over a step that takes so long.
    std::vector<ResourceUse> resources(Seconds step) const {
        std::vector<ResourceUse> found;
        if (host_banks_)
            add(found, *host_banks_, step);
        else
            add(found, *host_memory_, step);
        add(found, nvme_, step);
        add(found, cxl_, step);
        for (const auto& rank : ranks_) {
            add(found, rank->hbm, step);
            add(found, rank->host_link, step);
            add(found, rank->scale_up, step);
            add(found, rank->scale_out, step);
        }
        return found;
    }

    RankTrace trace(const Rank& rank, const std::string& role) const {
        RankTrace trace{rank.name(), role, rank.timeline(), {}};
        add_busy(trace.parts, rank.hbm);
        for (const LinkModule* link : {&rank.host_link, &rank.scale_up, &rank.scale_out}) add_busy(trace.parts, *link);
        for (const MemoryModule* part : std::initializer_list<const MemoryModule*>{host_memory_.get(), &nvme_, &cxl_})
            add_busy(trace.parts, *part);
        return trace;
    }

private:
    static void add(std::vector<TraceTrack>& to, const char* name, const BusyLog& log, std::size_t tasks) {
        if (log.intervals().empty()) return;
        TraceTrack& track = to.emplace_back(TraceTrack{.resource = name});
        for (const BusyInterval& interval : log.intervals())
            track.slices.push_back({.op = static_cast<std::uint32_t>(interval.user % tasks),
                                    .rank = static_cast<std::uint32_t>(interval.user / tasks),
                                    .begin = static_cast<TraceTime>(interval.begin.value()),
                                    .end = static_cast<TraceTime>(interval.end.value())});
    }

    template <class Part>
    void add(std::vector<ResourceUse>& to, const Part& part, Seconds step) const {
        const ServiceQueue& queue = part.queue();
        if (queue.rate().bandwidth <= Bandwidth(0)) return;  // this machine has no such part, or nobody knows it
        to.push_back({.name = part.name(),
                      .busy = step > Seconds(0) ? queue.busy() / step : 0,
                      .bytes = queue.served(),
                      .queued = queue.queued()});
    }

    // Of banks, what their data buses carried.
    void add(std::vector<ResourceUse>& to, const DramModule& part, Seconds step) const {
        const DramMemory& memory = part.memory();
        const DramCounts counts = memory.counts();
        const Bytes moved(double(counts.reads + counts.writes) * memory.mapping().access_bytes());
        to.push_back(
            {.name = part.name(), .busy = step > Seconds(0) ? moved / memory.peak() / step : 0, .bytes = moved});
    }

    std::unique_ptr<MemoryModule> host_memory_;
    std::unique_ptr<DramModule> host_banks_;
    MemoryModule nvme_, cxl_;
    std::vector<std::unique_ptr<Rank>> ranks_;
};

// Nodes whose ranks exchange with each other. What lies between nodes is in the price of an exchange; what differs
// between ranks, and who waits for whom, is found here.
class Cluster {
public:
    Cluster(const Machine& machine, const Schedule& schedule, int ranks, Detail detail)
        : exchanges_(schedule.graph, schedule.variations, ranks, [this](int rank, std::uint32_t task, Seconds at) {
              ranks_[std::size_t(rank)]->expect(task, at);
          }) {
        const int on_a_node = std::max(1, machine.ranks);
        for (int first = 0; first < ranks; first += on_a_node) {
            nodes_.push_back(std::make_unique<Node>(("node" + std::to_string(nodes_.size())).c_str(), machine, schedule,
                                                    first, std::min(on_a_node, ranks - first), exchanges_, detail));
            for (const auto& rank : nodes_.back()->ranks()) ranks_.push_back(rank.get());
        }
    }

    bool finished() const {
        return std::all_of(ranks_.begin(), ranks_.end(), [](const Rank* rank) { return rank->finished(); });
    }

    void start_logs() {
        for (const auto& node : nodes_) node->start_logs();
    }

    // The slowest rank's timeline, and the resources of its node.
    Simulation result() const {
        const auto slowest = std::max_element(ranks_.begin(), ranks_.end(), ends_sooner);
        const Timeline& timeline = (*slowest)->timeline();
        const Node& node = node_of(slowest);
        return {timeline, node.resources(timeline.makespan), node.tracks(timeline.tasks.size())};
    }

    std::vector<RankTrace> traces() const {
        const auto slowest = std::max_element(ranks_.begin(), ranks_.end(), ends_sooner);
        const auto idlest = std::min_element(ranks_.begin(), ranks_.end(), computes_less);
        std::vector<RankTrace> traces{node_of(slowest).trace(**slowest, "slowest")};
        if (computing(*idlest) < computing(*slowest)) traces.push_back(node_of(idlest).trace(**idlest, "least busy"));
        return traces;
    }

private:
    const Node& node_of(std::vector<Rank*>::const_iterator rank) const {
        return *nodes_[std::size_t(rank - ranks_.begin()) / nodes_.front()->ranks().size()];
    }

    Exchanges exchanges_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<Rank*> ranks_;
};

// SystemC prints what it has to say on stdout, where results go.
void report(const sc_core::sc_report& message, const sc_core::sc_actions& /*usual*/) {
    if (message.get_severity() == sc_core::SC_INFO) return;
    if (message.get_severity() == sc_core::SC_WARNING)
        std::cerr << message.what() << '\n';
    else
        throw std::runtime_error(message.what());
}

}  // namespace

int simulated_ranks(const Program& program, const Machine& machine, const Placement& placement) {
    const int on_a_node = std::min(machine.ranks, placement.ranks());
    return program.differing_ranks > 1 ? program.differing_ranks : on_a_node;
}

Simulation run_systemc(const Program& program, const Machine& machine, int ranks, Detail detail, bool traced) {
    const OneSimulation context;
    sc_core::sc_report_handler::set_handler(report);
    if (detail == Detail::bank && !machine.host_rows)
        throw InputError(
            "detail: bank needs a host memory whose DRAM standard the catalogue has (platform.host_memory.standard)");
    const Schedule schedule(program, machine, detail);
    Cluster cluster(machine, schedule, ranks, detail);
    if (traced) cluster.start_logs();
    sc_core::sc_start();
    if (!cluster.finished()) throw std::logic_error("run_systemc: tasks wait for each other in a circle");
    Simulation simulation = cluster.result();
    if (traced) simulation.traces = cluster.traces();
    return simulation;
}

}  // namespace strata
