#include "sim/engine/systemc/rank.hpp"

#include <algorithm>
#include <string>

#include "hwmodels/memory/simulated_time.hpp"

namespace strata {

namespace {

// One size for all fetches of a simulation, because who sends larger chunks gets more of what is shared. Small enough
// to take turns some hundreds of times within the largest fetch, not smaller than a page; banks need more at once,
// because a memory gets through many rows in the time that one takes.
Bytes chunk_of(const Program& program, Detail detail) {
    const Bytes least(detail == Detail::bank ? 262144 : 4096);
    constexpr double kTurns = 256;
    Bytes largest;
    for (const Task& task : program.tasks)
        if (is_fetch(task.lane)) largest = std::max(largest, task.moved);
    return std::max(least, largest / kTurns);
}

std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }

}  // namespace

Schedule::Schedule(const Program& program, const Machine& machine, Detail detail)
    : graph(graph_of(program)),
      variations(program.variations),
      predecessors(program.tasks.size()),
      in_memory(program.tasks.size(), 1),
      chunk(chunk_of(program, detail)) {
    for (std::size_t i = 0; i < program.tasks.size(); ++i)
        if (program.tasks[i].lane == Lane::host_fetch && detail == Detail::op)
            in_memory[i] = 1 / machine.host_efficiency(program.tasks[i].row);
    for (const Edge& edge : program.edges) ++predecessors[edge.after];
    for (std::uint32_t i = 0; i < program.tasks.size(); ++i) of_a_lane[index_of(program.tasks[i].lane)].push_back(i);
}

// Latencies are not given to the parts here: what is published of them is end to end, and that of a collective spans
// several hops, so the Program's tasks carry them.
Rank::Rank(const sc_core::sc_module_name& module_name, const Machine& machine, const Schedule& schedule, int place,
           Exchanges& exchanges)
    : sc_module(module_name),
      hbm("hbm", {.bandwidth = machine.memory}),
      host_link("host_link", {.bandwidth = machine.host_link}),
      scale_up("scale_up", {.bandwidth = machine.scale_up}),
      scale_out("scale_out", {.bandwidth = machine.scale_out}),
      schedule_(schedule),
      place_(place),
      exchanges_(exchanges),
      awaited_(schedule.predecessors) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        lanes_[lane].engine =
            std::make_unique<LaneEngine>((std::string(kLaneNames[lane]) + "_engine").c_str(),
                                         [this, lane](const sc_core::sc_time& landed) { lane_done(lane, landed); });
    engine(Lane::compute).way.bind(hbm.in);
    engine(Lane::host_fetch).way.bind(host_link.in);  // in[0], so it goes on by out[0]
    engine(Lane::nvme_fetch).way.bind(host_link.in);  // in[1]
    engine(Lane::cxl_fetch).way.bind(host_link.in);   // in[2]
    engine(Lane::host_fetch).landing.bind(hbm.in);
    engine(Lane::cxl_fetch).landing.bind(hbm.in);
    engine(Lane::nvme_fetch).landing.bind(hbm.in);
    engine(Lane::scale_up).way.bind(scale_up.in);
    engine(Lane::scale_out).way.bind(scale_out.in);
    timeline_.tasks.resize(awaited_.size());
    SC_HAS_PROCESS(Rank);
    SC_METHOD(begin);
    SC_METHOD(arrive);
    sensitive << arrival_;
    dont_initialize();
}

void Rank::begin() {
    for (std::size_t lane = 0; lane < kLanes; ++lane) start_next(lane);
}

void Rank::start_next(std::size_t lane) {
    LaneState& state = lanes_[lane];
    const std::vector<std::uint32_t>& order = schedule_.of_a_lane[lane];
    if (state.occupied || state.next == order.size()) return;
    const std::uint32_t index = order[state.next];
    if (awaited_[index] > 0) return;
    state.occupied = true;
    timeline_.tasks[index].begin = to_seconds(sc_core::sc_time_stamp());
    const Task& task = schedule_.graph[index];
    if (is_fetch(task.lane))
        state.engine->fetch(task, schedule_.chunk, schedule_.in_memory[index], user_of(index));
    else
        state.engine->perform(task, share_of(task), user_of(index));
}

std::uint64_t Rank::user_of(std::uint32_t task) const { return std::uint64_t(place_) * awaited_.size() + task; }

void Rank::start_logs() {
    for (LinkModule* link : {&host_link, &scale_up, &scale_out}) link->log().start();
    hbm.log().start();
    for (LaneState& state : lanes_) state.log.start();
}

// Of what the task says, which is the busiest rank's.
double Rank::share_of(const Task& task) const {
    return task.variation < 0 ? 1 : schedule_.variations[std::size_t(task.variation)].done[std::size_t(place_)];
}

void Rank::lane_done(std::size_t lane, const sc_core::sc_time& landed) {
    LaneState& state = lanes_[lane];
    const std::uint32_t task = schedule_.of_a_lane[lane][state.next++];
    state.occupied = false;
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    const Seconds began = timeline_.tasks[task].begin;
    timeline_.busy[lane] += to_seconds(now) - began;
    state.log.add(user_of(task), to_sc_time(began), now);
    const sc_core::sc_time end = landed + to_sc_time(schedule_.graph[task].latency);
    if (schedule_.graph[task].joins)
        exchanges_.sent(place_, task, began, to_seconds(now));
    else if (end == now)
        complete(task);
    else
        expect(task, end);
    start_next(lane);
}

void Rank::expect(std::uint32_t task, Seconds at) { expect(task, std::max(to_sc_time(at), sc_core::sc_time_stamp())); }

void Rank::expect(std::uint32_t task, const sc_core::sc_time& at) {
    arrivals_.push({at, task});
    arrival_.notify(at - sc_core::sc_time_stamp());  // no effect if an earlier arrival is expected
}

void Rank::arrive() {
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    while (!arrivals_.empty() && arrivals_.top().at <= now) {
        const std::uint32_t task = arrivals_.top().task;
        arrivals_.pop();
        complete(task);
    }
    if (!arrivals_.empty()) arrival_.notify(arrivals_.top().at - now);
}

void Rank::complete(std::uint32_t task) {
    ++done_;
    const Seconds now = to_seconds(sc_core::sc_time_stamp());
    timeline_.tasks[task].end = now;
    timeline_.makespan = now;
    const auto [from, to] = boost::out_edges(std::size_t{task}, schedule_.graph);
    for (auto edge = from; edge != to; ++edge) {
        const auto after = static_cast<std::uint32_t>(boost::target(*edge, schedule_.graph));
        if (--awaited_[after] == 0) start_next(index_of(schedule_.graph[after].lane));
    }
}

}  // namespace strata
