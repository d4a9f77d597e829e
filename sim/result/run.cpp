#include "sim/result/run.hpp"

#include <algorithm>

#include "sim/placement/memory.hpp"

namespace strata {

namespace {

// Time in which an Engram fetch is under way and nothing else is: what the table costs the step.
Seconds fetch_stall(const Program& program, const Timeline& timeline) {
    std::vector<Interval> fetches;
    for (std::size_t i = 0; i < program.tasks.size(); ++i)
        if (program.tasks[i].lane == Lane::host_fetch || program.tasks[i].lane == Lane::nvme_fetch)
            fetches.push_back(timeline.tasks[i]);
    Seconds stall, busy_until;
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        if (program.tasks[i].lane == Lane::host_fetch || program.tasks[i].lane == Lane::nvme_fetch) continue;
        Seconds idle_from = busy_until;
        for (const Interval& fetch : fetches) {  // in the order in which the lane serves them
            const Seconds from = std::max(idle_from, fetch.begin);
            const Seconds to = std::min(timeline.tasks[i].begin, fetch.end);
            if (to <= from) continue;
            stall += to - from;
            idle_from = to;
        }
        busy_until = std::max(busy_until, timeline.tasks[i].end);
    }
    return stall;
}

// Mean wall time of a layer's routed experts, from the first token dispatched to the last result combined.
Seconds expert_layer_time(const Program& program, const Timeline& timeline) {
    std::map<std::pair<int, int>, Interval> spans;  // by layer and micro-batch
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        if (program.tasks[i].slot != Slot::experts) continue;
        const auto [at, is_new] =
            spans.try_emplace({program.tasks[i].layer, program.tasks[i].batch}, timeline.tasks[i]);
        at->second.begin = std::min(at->second.begin, timeline.tasks[i].begin);
        at->second.end = std::max(at->second.end, timeline.tasks[i].end);
    }
    Seconds sum;
    for (const auto& [layer, span] : spans) sum += span.end - span.begin;
    return spans.empty() ? sum : sum / double(spans.size());
}

}  // namespace

Run summarise(const Scenario& scenario, const Machine& machine, const Program& program, const Timeline& timeline,
              const std::string& engine) {
    Run run;
    run.engine = engine;
    const Workload& work = scenario.workload;
    const int ranks = scenario.placement.ranks();
    const double step_s = timeline.makespan.si();
    const double new_tokens = work.batch * (work.prefill ? work.prompt : 1);
    const std::string kind = work.prefill ? "prefill" : "decode";
    run.metrics[kind + (work.prefill ? ".ttft_ms" : ".tpot_ms")] = step_s * 1e3;
    run.metrics[kind + ".tokens_per_s"] = new_tokens / step_s;
    run.metrics[kind + ".tokens_per_s_per_accelerator"] = new_tokens / step_s / ranks;
    const MemoryUse memory = memory_use(scenario, machine.ranks);
    run.metrics["memory.hbm_gb"] = to_GB(memory.hbm_of_a_rank);
    run.metrics["memory.host_gb"] = to_GB(memory.host_of_a_node);
    run.metrics["memory.nvme_gb"] = to_GB(memory.nvme_of_a_node);
    run.metrics["engram.stall_ms"] = to_ms(fetch_stall(program, timeline));
    run.metrics["moe.layer_us"] = to_us(expert_layer_time(program, timeline));
    run.metrics["network.scale_up_ms"] = to_ms(timeline.busy[static_cast<std::size_t>(Lane::scale_up)]);
    run.metrics["network.scale_out_ms"] = to_ms(timeline.busy[static_cast<std::size_t>(Lane::scale_out)]);

    double compute_s = 0;
    for (const Task& task : program.tasks)
        if (task.lane == Lane::compute) {
            run.share_of_compute[std::string(to_string(task.origin))] += task.duration.si();
            compute_s += task.duration.si();
        }
    for (auto& [origin, share] : run.share_of_compute) share /= compute_s;
    for (std::size_t lane = 0; lane < kLanes; ++lane) run.utilisation[lane] = timeline.busy[lane].si() / step_s;
    const auto busiest = std::max_element(run.utilisation.begin(), run.utilisation.end());
    run.bottleneck = kLaneNames[static_cast<std::size_t>(busiest - run.utilisation.begin())];
    return run;
}

}  // namespace strata
