#include "sim/workload/micro_batches.hpp"

#include <algorithm>

#include "sim/workload/pricing.hpp"

namespace strata {

namespace {

bool is_fetch(const Task& task) { return is_fetch(task.lane); }
bool is_exchange(const Task& task) { return task.lane == Lane::scale_up || task.lane == Lane::scale_out; }

// Tasks of the chain (no fetch) that wait for nothing, or that nothing waits for.
std::vector<std::uint32_t> ends(const Program& program, bool heads) {
    std::vector<bool> inner(program.tasks.size());
    for (const Edge& edge : program.edges)
        if (!is_fetch(program.tasks[edge.before])) inner[heads ? edge.after : edge.before] = true;
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < program.tasks.size(); ++i)
        if (!inner[i] && !is_fetch(program.tasks[i])) found.push_back(i);
    return found;
}

// What is said of the step as a whole.
Program without_tasks(const Program& one) {
    return {.tasks = one.tasks.unplaced(),
            .edges = {},
            .turns_waited = one.turns_waited,
            .differing_ranks = one.differing_ranks,
            .variations = one.variations,
            .balance = one.balance};
}

}  // namespace

Program interleaved(const Program& one, int copies) {
    Program all = without_tasks(one);
    all.tasks.reserve(one.tasks.size() * static_cast<std::size_t>(copies), 0);
    std::vector<std::vector<std::uint32_t>> index(static_cast<std::size_t>(copies),
                                                  std::vector<std::uint32_t>(one.tasks.size()));
    for (std::size_t begin = 0, end = 0; begin < one.tasks.size(); begin = end) {
        while (end < one.tasks.size() && !is_exchange(one.tasks[end])) ++end;
        end = std::min(end + 1, one.tasks.size());
        for (std::size_t copy = 0; copy < index.size(); ++copy)
            for (std::size_t i = begin; i < end; ++i) {
                index[copy][i] = static_cast<std::uint32_t>(all.tasks.size());
                TaskList::Place place = one.tasks.place(i);
                place.batch = static_cast<int>(copy);
                all.tasks.push_back(place);
            }
    }
    all.edges.reserve(one.edges.size() * static_cast<std::size_t>(copies));
    for (const auto& of_copy : index) {  // each copy's are sorted as the one's are
        const auto middle = static_cast<std::ptrdiff_t>(all.edges.size());
        for (const Edge& edge : one.edges) all.edges.push_back({of_copy[edge.before], of_copy[edge.after]});
        std::inplace_merge(all.edges.begin(), all.edges.begin() + middle, all.edges.end());
    }
    return all;
}

Program repeated(const Program& one, int times) {
    const std::vector<std::uint32_t> heads = ends(one, true), tails = ends(one, false);
    const auto size = static_cast<std::uint32_t>(one.tasks.size());
    int batches = 1;
    for (std::uint32_t i = 0; i < size; ++i) batches = std::max(batches, one.tasks.batch(i) + 1);
    Program all = without_tasks(one);
    for (std::uint32_t t = 0; t < static_cast<std::uint32_t>(times); ++t) {
        for (std::uint32_t i = 0; i < size; ++i) {
            TaskList::Place place = one.tasks.place(i);
            place.batch += static_cast<int>(t) * batches;
            all.tasks.push_back(place);
        }
        for (const Edge& edge : one.edges) all.edges.push_back({t * size + edge.before, t * size + edge.after});
        if (t == 0) continue;
        for (const std::uint32_t tail : tails)
            for (const std::uint32_t head : heads) all.edges.push_back({(t - 1) * size + tail, t * size + head});
    }
    std::sort(all.edges.begin(), all.edges.end());
    return all;
}

Program delayed(const Program& program, int turns) {
    Program all = without_tasks(program);
    all.turns_waited = turns;
    Task wait;
    wait.name = "pipeline_fill";
    wait.slot = Slot::head;
    wait.lane = Lane::scale_out;
    wait.duration = wait.latency = turn_of(program) * turns;  // latency only: the wait occupies no lane
    all.tasks.push_back(wait);
    for (std::size_t i = 0; i < program.tasks.size(); ++i) all.tasks.push_back(program.tasks.place(i));
    for (const std::uint32_t head : ends(program, true)) all.edges.push_back({0, head + 1});
    for (const Edge& edge : program.edges) all.edges.push_back({edge.before + 1, edge.after + 1});
    std::sort(all.edges.begin(), all.edges.end());
    return all;
}

}  // namespace strata
