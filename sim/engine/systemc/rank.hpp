// One rank: its accelerator memory, its links, an engine for each lane, and the dispatcher that starts a task when all
// that it waits for is done and its lane is free. A lane takes its tasks in the order of the Program, as in the
// analytic engine.
#pragma once

#include <memory>
#include <queue>
#include <vector>

#include "hwmodels/link/link_module.hpp"
#include "hwmodels/memory/memory_module.hpp"
#include "sim/engine/systemc/exchanges.hpp"
#include "sim/engine/systemc/lane_engine.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/workload/program.hpp"

namespace strata {

// The Program as all ranks read it.
struct Schedule {
    Schedule(const Program& program, const Machine& machine, Detail detail);

    TaskGraph graph;
    std::vector<Variation> variations;
    std::vector<std::uint32_t> predecessors;                   // how many, of each task
    std::array<std::vector<std::uint32_t>, kLanes> of_a_lane;  // tasks in their order
    std::vector<double> in_memory;                             // of fetches: bytes at its memory's peak, for each byte
    Bytes chunk;                                               // of fetches
};

class Rank : public sc_core::sc_module {
public:
    // `place`: of the ranks that are simulated. `exchanges` outlives it.
    Rank(const sc_core::sc_module_name& name, const Machine& machine, const Schedule& schedule, int place,
         Exchanges& exchanges);

    // The end of an exchange in which ranks wait for each other.
    void expect(std::uint32_t task, Seconds at);
    // From now on what its lanes, memory and links are busy with is kept; users are place x tasks + task.
    void start_logs();
    const BusyLog& log(Lane lane) const { return lanes_[static_cast<std::size_t>(lane)].log; }
    LaneEngine& engine(Lane lane) { return *lanes_[static_cast<std::size_t>(lane)].engine; }
    const Timeline& timeline() const { return timeline_; }
    bool finished() const { return done_ == timeline_.tasks.size(); }

    MemoryModule hbm;
    LinkModule host_link;  // out[0]: to host memory, out[1]: to the drives, out[2]: to expanders
    LinkModule scale_up, scale_out;
    // The node binds the way of Lane::host_compute: to what its cores read.

private:
    struct LaneState {
        std::unique_ptr<LaneEngine> engine;
        std::size_t next = 0;  // in Schedule::of_a_lane
        bool occupied = false;
        BusyLog log{};
    };
    struct Arrival {
        sc_core::sc_time at;
        std::uint32_t task;
        bool operator>(const Arrival& other) const { return at != other.at ? at > other.at : task > other.task; }
    };

    void begin();
    void start_next(std::size_t lane);
    void lane_done(std::size_t lane, const sc_core::sc_time& landed);
    void arrive();
    void expect(std::uint32_t task, const sc_core::sc_time& at);
    void complete(std::uint32_t task);
    double share_of(const Task& task) const;
    std::uint64_t user_of(std::uint32_t task) const;

    const Schedule& schedule_;
    int place_;
    Exchanges& exchanges_;
    std::array<LaneState, kLanes> lanes_;
    std::vector<std::uint32_t> awaited_;  // predecessors that are not done, of each task
    // Tasks whose lane is free again but whose last byte is on its way, the first to arrive on top.
    std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
    sc_core::sc_event arrival_{"arrival"};
    Timeline timeline_;
    std::size_t done_ = 0;
};

}  // namespace strata
