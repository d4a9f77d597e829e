#include "sim/engine/systemc/systemc_engine.hpp"

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>

#include "sim/engine/systemc/rank.hpp"

namespace strata {

namespace {

// One node: its ranks and what they share.
class Node : public sc_core::sc_module {
public:
    Node(const sc_core::sc_module_name& module_name, const Machine& machine, const Schedule& schedule, int ranks)
        : sc_module(module_name),
          host_memory_("host_memory", {.bandwidth = machine.host_memory}),
          nvme_("nvme", {.bandwidth = machine.nvme, .requests_per_s = machine.nvme_iops}) {
        for (int i = 0; i < ranks; ++i) {
            ranks_.push_back(std::make_unique<Rank>(("gpu" + std::to_string(i)).c_str(), machine, schedule));
            ranks_.back()->host_link.out.bind(host_memory_.in);
            ranks_.back()->host_link.out.bind(nvme_.in);
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
        add(found, host_memory_);
        add(found, nvme_);
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

    MemoryModule host_memory_, nvme_;
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

Simulation run_systemc(const Program& program, const Machine& machine, int ranks) {
    static bool used = false;
    if (used) throw std::logic_error("run_systemc: SystemC elaborates once a process");
    used = true;
    sc_core::sc_report_handler::set_handler(report);
    const Schedule schedule(program);
    const Node node("node0", machine, schedule, ranks);
    sc_core::sc_start();
    if (!node.finished()) throw std::logic_error("run_systemc: tasks wait for each other in a circle");
    return {node.slowest().timeline(), node.resources()};
}

}  // namespace strata
