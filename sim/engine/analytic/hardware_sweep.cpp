#include "sim/engine/analytic/hardware_sweep.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

using Indices = std::vector<std::uint32_t>;

// The index of `key` among the different ones met so far.
template <class Key>
std::uint32_t index_of(const Key& key, std::map<Key, std::uint32_t>& known) {
    return known.try_emplace(key, static_cast<std::uint32_t>(known.size())).first->second;
}

// Task i begins exactly when task i - 1 ends, and nobody else waits for that.
std::vector<bool> continuing(const Program& program, const std::vector<Indices>& before) {
    const TaskList& tasks = program.tasks;
    std::vector<std::uint32_t> successors(tasks.size());
    for (const Edge& edge : program.edges) ++successors[edge.before];
    std::vector<bool> found(tasks.size());
    for (std::uint32_t i = 1; i < tasks.size(); ++i)
        found[i] = tasks[i].pricing == Pricing::kernel && tasks[i - 1].pricing == Pricing::kernel &&
                   before[i] == Indices{i - 1} && successors[i - 1] == 1;
    return found;
}

}  // namespace

HardwareSweep::HardwareSweep(const Program& program, const CostBook& costs, int ranks)
    : costs_(costs), ranks_(ranks), turns_waited_(program.turns_waited) {
    std::vector<Indices> before(program.tasks.size());
    for (const Edge& edge : program.edges) before[edge.after].push_back(edge.before);
    const std::vector<bool> continues = continuing(program, before);
    const auto asked = [](const Task& task) {
        return std::apply([](const auto&... values) { return std::tuple(values...); }, asked_of(task));
    };
    std::map<decltype(asked(Task{})), std::uint32_t> known_kinds;
    std::map<Indices, std::uint32_t> known_runs;
    Indices step_of(program.tasks.size());
    for (std::size_t begin = 0, end = 0; begin < program.tasks.size(); begin = end) {
        Indices run;
        for (end = begin; end == begin || (end < program.tasks.size() && continues[end]); ++end) {
            const Task& task = program.tasks[end];
            run.push_back(index_of(asked(task), known_kinds));
            if (run.back() == kinds_.size()) {
                kinds_.push_back(task);
                turn_of_kind_.push_back(0);
            }
            if (program.tasks.batch(end) == 0 && task.pricing != Pricing::fetch && task.pricing != Pricing::given)
                ++turn_of_kind_[run.back()];
            step_of[end] = static_cast<std::uint32_t>(steps_.size());
        }
        const auto first = static_cast<std::uint32_t>(before_.size());
        for (const std::uint32_t task : before[begin]) before_.push_back(step_of[task]);
        const std::uint32_t index = index_of(run, known_runs);
        if (index == runs_.size()) runs_.push_back(run);
        steps_.push_back({index, first, static_cast<std::uint32_t>(before_.size()),
                          static_cast<std::uint32_t>(program.tasks[begin].lane)});
    }
    duration_.resize(kinds_.size());
    occupied_.resize(kinds_.size());
    run_duration_.resize(runs_.size());
    run_occupied_.resize(runs_.size());
    end_.resize(steps_.size());
}

Seconds HardwareSweep::makespan(const Platform& platform) { return makespan(platform, {}); }

Seconds HardwareSweep::makespan(const Platform& platform,
                                const std::function<double(const Task&, const Price&)>& factor) {
    Seconds turn;
    for (std::size_t kind = 0; kind < kinds_.size(); ++kind) {
        Price now = price(kinds_[kind], platform, costs_, ranks_);
        if (factor) now.duration = now.duration * factor(kinds_[kind], now);
        duration_[kind] = now.duration;
        occupied_[kind] = now.duration - now.latency;
        turn += now.duration * turn_of_kind_[kind];
    }
    if (turns_waited_ > 0) duration_[runs_[steps_.front().run].front()] = turn * turns_waited_;
    for (std::size_t run = 0; run < runs_.size(); ++run) {
        run_duration_[run] = run_occupied_[run] = Seconds(0);
        for (const std::uint32_t kind : runs_[run]) {
            run_duration_[run] += duration_[kind];
            run_occupied_[run] += occupied_[kind];
        }
    }
    Seconds makespan;
    std::array<Seconds, kLanes> lane_free{};
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const Step& step = steps_[i];
        Seconds begin = lane_free[step.lane];
        for (std::uint32_t b = step.first; b < step.end; ++b) begin = std::max(begin, end_[before_[b]]);
        end_[i] = begin + run_duration_[step.run];
        lane_free[step.lane] = begin + run_occupied_[step.run];
        makespan = std::max(makespan, end_[i]);
    }
    return makespan;
}

}  // namespace strata
