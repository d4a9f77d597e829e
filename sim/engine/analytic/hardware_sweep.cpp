#include "sim/engine/analytic/hardware_sweep.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/workload/pricing.hpp"

namespace strata {

HardwareSweep::HardwareSweep(const Program& program, const CostBook& costs, int ranks)
    : costs_(costs), ranks_(ranks), turns_waited_(program.turns_waited) {
    const auto asked = [](const Task& t) {
        return std::tuple(t.pricing, t.family, t.fp8, t.lane, t.flops, t.moved, t.on_link, t.requests);
    };
    std::map<decltype(asked(Task{})), std::uint32_t> known;
    std::vector<std::vector<std::uint32_t>> before(program.tasks.size());
    for (const Edge& edge : program.edges) before[edge.after].push_back(edge.before);
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        const Task& task = program.tasks[i];
        const auto [kind, is_new] = known.try_emplace(asked(task), static_cast<std::uint32_t>(kinds_.size()));
        if (is_new) {
            kinds_.push_back(task);
            turn_of_kind_.push_back(0);
        }
        if (task.batch == 0 && task.pricing != Pricing::fetch && task.pricing != Pricing::given)
            ++turn_of_kind_[kind->second];
        const auto first = static_cast<std::uint32_t>(before_.size());
        before_.insert(before_.end(), before[i].begin(), before[i].end());
        steps_.push_back(
            {kind->second, first, static_cast<std::uint32_t>(before_.size()), static_cast<std::uint32_t>(task.lane)});
    }
    duration_.resize(kinds_.size());
    occupied_.resize(kinds_.size());
    end_.resize(steps_.size());
}

Seconds HardwareSweep::makespan(const Platform& platform) {
    Seconds turn;
    for (std::size_t kind = 0; kind < kinds_.size(); ++kind) {
        const Price now = price(kinds_[kind], platform, costs_, ranks_);
        duration_[kind] = now.duration;
        occupied_[kind] = now.duration - now.latency;
        turn += now.duration * turn_of_kind_[kind];
    }
    if (turns_waited_ > 0) duration_[steps_.front().price] = turn * turns_waited_;
    Seconds makespan;
    std::array<Seconds, kLanes> lane_free{};
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const Step& step = steps_[i];
        Seconds begin = lane_free[step.lane];
        for (std::uint32_t b = step.first; b < step.end; ++b) begin = std::max(begin, end_[before_[b]]);
        end_[i] = begin + duration_[step.price];
        lane_free[step.lane] = begin + occupied_[step.price];
        makespan = std::max(makespan, end_[i]);
    }
    return makespan;
}

}  // namespace strata
