#include "sim/engine/systemc/systemc_engine.hpp"

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>

#include "hwmodels/memory/dram_module.hpp"
#include "sim/engine/systemc/rank.hpp"

namespace strata {

namespace {

// One node: its ranks and what they share.
class Node : public sc_core::sc_module {
public:
    Node(const sc_core::sc_module_name& module_name, const Machine& machine, const Schedule& schedule, int ranks,
         Detail detail)
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
        for (int i = 0; i < ranks; ++i) {
            ranks_.push_back(std::make_unique<Rank>(("gpu" + std::to_string(i)).c_str(), machine, schedule));
            auto& to_memory = ranks_.back()->host_link.out;
            detail == Detail::bank ? to_memory.bind(host_banks_->in) : to_memory.bind(host_memory_->in);
            ranks_.back()->host_link.out.bind(nvme_.in);
            ranks_.back()->host_link.out.bind(cxl_.in);
            ranks_.back()->engine(Lane::host_compute).way.bind(host_memory_->in);
        }
    }

    const Rank& slowest() const {
        return **std::max_element(ranks_.begin(), ranks_.end(), [](const auto& a, const auto& b) {
            return a->timeline().makespan < b->timeline().makespan;
        });
    }

    bool finished() const {
        return std::all_of(ranks_.begin(), ranks_.end(), [](const auto& rank) { return rank->finished(); });
    }

    std::vector<ResourceUse> resources() const {
        std::vector<ResourceUse> found;
        if (host_banks_)
            add(found, *host_banks_);
        else
            add(found, *host_memory_);
        add(found, nvme_);
        add(found, cxl_);
        for (const auto& rank : ranks_) {
            add(found, rank->hbm);
            add(found, rank->host_link);
            add(found, rank->scale_up);
            add(found, rank->scale_out);
        }
        return found;
    }

private:
    template <class Part>
    void add(std::vector<ResourceUse>& to, const Part& part) const {
        const ServiceQueue& queue = part.queue();
        if (queue.rate().bandwidth <= Bandwidth(0)) return;  // this machine has no such part, or nobody knows it
        const Seconds step = slowest().timeline().makespan;
        to.push_back({.name = part.name(),
                      .busy = step > Seconds(0) ? queue.busy() / step : 0,
                      .bytes = queue.served(),
                      .queued = queue.queued()});
    }

    // Of banks, what their data buses carried.
    void add(std::vector<ResourceUse>& to, const DramModule& part) const {
        const DramMemory& memory = part.memory();
        const DramCounts counts = memory.counts();
        const Bytes moved(double(counts.reads + counts.writes) * memory.mapping().access_bytes());
        const Seconds step = slowest().timeline().makespan;
        to.push_back(
            {.name = part.name(), .busy = step > Seconds(0) ? moved / memory.peak() / step : 0, .bytes = moved});
    }

    std::unique_ptr<MemoryModule> host_memory_;
    std::unique_ptr<DramModule> host_banks_;
    MemoryModule nvme_, cxl_;
    std::vector<std::unique_ptr<Rank>> ranks_;
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

Simulation run_systemc(const Program& program, const Machine& machine, int ranks, Detail detail) {
    static bool used = false;
    if (used) throw std::logic_error("run_systemc: SystemC elaborates once a process");
    used = true;
    sc_core::sc_report_handler::set_handler(report);
    if (detail == Detail::bank && !machine.host_rows)
        throw InputError(
            "detail: bank needs a host memory whose DRAM standard the catalogue has (platform.host_memory.standard)");
    const Schedule schedule(program, machine, detail);
    const Node node("node0", machine, schedule, ranks, detail);
    sc_core::sc_start();
    if (!node.finished()) throw std::logic_error("run_systemc: tasks wait for each other in a circle");
    return {node.slowest().timeline(), node.resources()};
}

}  // namespace strata
