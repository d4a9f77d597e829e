#include "sim/result/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <vector>

#include "sim/placement/cache_hits.hpp"
#include "sim/placement/memory.hpp"
#include "sim/result/economics.hpp"
#include "sim/result/resources.hpp"
#include "sim/result/table_swap.hpp"

namespace strata {

namespace {

constexpr std::string_view kOutside = ", outside";  // of what the cost book's tables hold
constexpr std::size_t kOriginCount = static_cast<std::size_t>(Origin::assumed) + 1;
constexpr std::size_t kSlotCount = static_cast<std::size_t>(Slot::vision) + 1;

// Time in which an Engram fetch is under way and nothing else is: what the table costs the step.
Seconds fetch_stall(const Program& program, const Timeline& timeline) {
    std::vector<Interval> fetches;
    for (std::size_t i = 0; i < program.tasks.size(); ++i)
        if (is_fetch(program.tasks[i].lane)) fetches.push_back(timeline.tasks[i]);
    Seconds stall, busy_until;
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        if (is_fetch(program.tasks[i].lane)) continue;
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

// Something of each layer of each micro-batch: a place in a table, for this is asked of every point of a sweep.
template <class Value>
class ByLayer {
public:
    explicit ByLayer(const TaskList& tasks) : tasks_(tasks) {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            layers_ = std::max(layers_, static_cast<std::size_t>(tasks.layer(i)) + 1);
            batches_ = std::max(batches_, static_cast<std::size_t>(tasks.batch(i)) + 1);
        }
        values_.resize(layers_ * batches_);
    }
    std::optional<Value>& of_task(std::size_t i) {
        const auto layer = static_cast<std::size_t>(tasks_.layer(i)), batch = static_cast<std::size_t>(tasks_.batch(i));
        return values_[layer * batches_ + batch];
    }
    const std::vector<std::optional<Value>>& all() const { return values_; }

private:
    const TaskList& tasks_;
    std::size_t layers_ = 0, batches_ = 0;
    std::vector<std::optional<Value>> values_;
};

// Mean wall time of a layer's routed experts, from the first token dispatched to the last result combined.
Seconds expert_layer_time(const Program& program, const Timeline& timeline) {
    ByLayer<Interval> spans(program.tasks);
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        if (program.tasks[i].slot != Slot::experts) continue;
        const Interval& own = timeline.tasks[i];
        std::optional<Interval>& span = spans.of_task(i);
        span = span ? Interval{std::min(span->begin, own.begin), std::max(span->end, own.end)} : own;
    }
    Seconds sum;
    std::size_t layers = 0;
    for (const auto& span : spans.all()) {
        if (!span) continue;
        sum += span->end - span->begin;
        ++layers;
    }
    return layers == 0 ? sum : sum / double(layers);
}

// Mean time of the kernels of a layer's attention, all layers and micro-batches alike.
Seconds attention_layer_time(const Program& program) {
    Seconds sum;
    std::size_t layers = 0;
    ByLayer<bool> seen(program.tasks);
    for (std::size_t i = 0; i < program.tasks.size(); ++i) {
        const Task& task = program.tasks[i];
        if (task.slot != Slot::attention || task.pricing != Pricing::kernel) continue;
        sum += task.duration;
        layers += !seen.of_task(i);
        seen.of_task(i) = true;
    }
    return layers == 0 ? sum : sum / double(layers);
}

void add_memory(Run& run, const MemoryUse& memory) {
    run.metrics["memory.hbm_gb"] = to_GB(memory.hbm_of_a_rank());
    run.metrics["memory.host_gb"] = to_GB(memory.host_of_a_node);
    run.metrics["memory.cxl_gb"] = to_GB(memory.cxl_of_a_node);
    run.metrics["memory.nvme_gb"] = to_GB(memory.nvme_of_a_node);
    for (const auto& [name, bytes] : memory.classes()) run.metrics[fmt::format("memory.{}_gb", name)] = to_GB(bytes);
}

// What became of a context that is partly pictures, and what its encoder takes.
void add_optical(Run& run, const Program& program) {
    if (!program.optical) return;
    const OpticalSummary& optical = *program.optical;
    Seconds encoding;
    for (const Task& task : program.tasks)
        if (task.slot == Slot::vision) encoding += task.duration;
    run.metrics["vision.encode_ms"] = to_ms(encoding);
    run.metrics["context.text_tokens"] = optical.text_tokens;
    run.metrics["context.vision_tokens"] = optical.vision_tokens;
    run.metrics["context.model_tokens"] = optical.text_tokens - optical.pictured_text + optical.vision_tokens;
    run.metrics["context.pages"] = optical.pages;
    if (optical.pages <= 0) return;
    run.metrics["quality.optical_precision_low"] = optical.precision.low;
    run.metrics["quality.optical_precision_high"] = optical.precision.high;
    if (optical.precision.precision)
        run.metrics["quality.optical_precision"] = *optical.precision.precision;
    else
        run.absent["quality.optical_precision"] = optical.precision.warning;
}

std::map<std::string, ComponentTime> component_times(const Program& program) {
    std::array<ComponentTime, kSlotCount> times{};
    std::array<bool, kSlotCount> any{};
    for (const Task& task : program.tasks) {
        if (task.pricing == Pricing::given) continue;
        const auto slot = static_cast<std::size_t>(task.slot);
        any[slot] = true;
        ComponentTime& time = times[slot];
        if (task.pricing == Pricing::fetch) {
            time.fetch += to_ms(task.duration);
        } else if (task.lane != Lane::compute && task.lane != Lane::host_compute) {
            time.exchange += to_ms(task.duration);
        } else {
            time.overhead += to_ms(task.overhead);
            (task.memory_bound ? time.memory : time.arithmetic) += to_ms(task.duration - task.overhead);
        }
    }
    std::map<std::string, ComponentTime> found;
    for (std::size_t slot = 0; slot < kSlotCount; ++slot)
        if (any[slot]) found[component_of(static_cast<Slot>(slot))] = times[slot];
    return found;
}

// What to make faster: the busiest lane, and of the compute lane what binds most of its time.
std::string bottleneck_of(const Run& run) {
    const auto busiest = std::max_element(run.utilisation.begin(), run.utilisation.end());
    const auto lane = static_cast<std::size_t>(busiest - run.utilisation.begin());
    if (static_cast<Lane>(lane) != Lane::compute) return std::string(kLaneNames[lane]);
    ComponentTime all;
    for (const auto& [name, time] : run.components) {
        all.memory += time.memory;
        all.arithmetic += time.arithmetic;
        all.overhead += time.overhead;
    }
    const double most = std::max({all.memory, all.arithmetic, all.overhead});
    return most == all.memory ? "memory" : most == all.arithmetic ? "arithmetic" : "kernel launch";
}

}  // namespace

Seconds straggling(const Program& program) {
    Seconds sum;
    for (const Task& task : program.tasks) {
        if (task.lane != Lane::compute || task.variation < 0) continue;
        const std::vector<double>& done = program.variations[static_cast<std::size_t>(task.variation)].done;
        sum += task.duration * (1 - std::accumulate(done.begin(), done.end(), 0.0) / double(done.size()));
    }
    return sum;
}

std::string component_of(Slot slot) {
    constexpr std::array<const char*, kSlotCount> kNames{"embedding", "mhc",    "attention", "ffn",
                                                         "experts",   "engram", "head",      "vision"};
    return kNames[static_cast<std::size_t>(slot)];
}

std::map<std::string, double> shares_of_compute(const Program& program) {
    struct Time {
        Seconds all;
        bool any = false;  // of no time too
    };
    std::array<std::array<Time, 2>, kOriginCount> times{};  // by origin; within the tables and outside
    Seconds compute;
    for (const Task& task : program.tasks)
        if (task.lane == Lane::compute || task.lane == Lane::host_compute) {
            Time& time = times[static_cast<std::size_t>(task.origin)][task.outside];
            time.all += task.duration;
            time.any = true;
            compute += task.duration;
        }
    std::map<std::string, double> shares;
    for (std::size_t origin = 0; origin < kOriginCount; ++origin)
        for (const bool outside : {false, true})
            if (const Time& time = times[origin][outside]; time.any)
                shares[fmt::format("{}{}", to_string(static_cast<Origin>(origin)), outside ? kOutside : "")] =
                    time.all / compute;
    return shares;
}

RunParts RunParts::of(const std::vector<std::string>& metrics) {
    RunParts parts{.memory = false, .economics = false, .quality = false, .layers = false, .details = false};
    for (const std::string& metric : metrics) {
        parts.memory |= metric.starts_with("memory.");
        parts.economics |= metric.starts_with("cost.") || metric.starts_with("energy.");
        parts.quality |= metric.starts_with("quality.");
        parts.layers |= metric == "engram.stall_ms" || metric == "moe.layer_us" || metric == "attention.layer_us";
    }
    return parts;
}

Run summarise(const Scenario& scenario, const Machine& machine, const Program& program, const Timeline& timeline,
              const std::string& engine, const RunParts& parts) {
    Run run;
    run.engine = engine;
    const Workload& work = scenario.workload;
    const int ranks = scenario.placement.ranks();
    const auto swap = table_swap(scenario, machine, timeline.makespan);
    const Seconds waited = swap ? swap->waited * swap->a_step : Seconds(0);  // for the next domain's table, of a step
    const Seconds step = timeline.makespan + waited;
    const double step_s = step.si();
    const double new_tokens = work.batch * work.tokens();
    const std::string kind = work.prefill ? "prefill" : "decode";
    run.metrics["workload.batch"] = work.batch;
    run.metrics[kind + (work.prefill ? ".ttft_ms" : ".tpot_ms")] = step_s * 1e3 / (work.prefill ? 1 : work.tokens());
    if (!work.prefill) run.metrics["decode.step_ms"] = step_s * 1e3;
    run.metrics[kind + ".tokens_per_s"] = new_tokens / step_s;
    run.metrics[kind + ".tokens_per_s_per_accelerator"] = new_tokens / step_s / ranks;
    if (parts.memory) add_memory(run, memory_use(scenario, machine.ranks));
    for (const auto& [name, share] : cache_hits(scenario)) run.metrics[fmt::format("cache.{}_hits", name)] = share;
    run.metrics["fetch.host_ms"] = to_ms(timeline.busy[static_cast<std::size_t>(Lane::host_fetch)]);
    run.metrics["fetch.cxl_ms"] = to_ms(timeline.busy[static_cast<std::size_t>(Lane::cxl_fetch)]);
    run.metrics["fetch.nvme_ms"] = to_ms(timeline.busy[static_cast<std::size_t>(Lane::nvme_fetch)]);
    run.metrics["host.compute_ms"] = to_ms(timeline.busy[static_cast<std::size_t>(Lane::host_compute)]);
    if (parts.layers) {
        run.metrics["engram.stall_ms"] = to_ms(fetch_stall(program, timeline));
        run.metrics["moe.layer_us"] = to_us(expert_layer_time(program, timeline));
        run.metrics["attention.layer_us"] = to_us(attention_layer_time(program));
    }
    if (swap) {
        run.metrics["engram.swap_ms"] = to_ms(swap->copy);
        run.metrics["engram.swap_share"] = waited / step;
    }
    if (program.balance) {
        run.metrics["moe.load_max_over_mean"] = program.balance->load_max_over_mean;
        run.metrics["moe.straggler_ms"] = to_ms(straggling(program));
        run.metrics["moe.ranks_per_token"] = program.balance->ranks_of_a_token;
        run.metrics["moe.nodes_per_token"] = program.balance->nodes_of_a_token;
    }
    run.metrics["network.scale_up_ms"] = to_ms(timeline.busy[static_cast<std::size_t>(Lane::scale_up)]);
    run.metrics["network.scale_out_ms"] = to_ms(timeline.busy[static_cast<std::size_t>(Lane::scale_out)]);

    add_optical(run, program);

    if (parts.economics) add_economics(run, scenario, spending_of(scenario, machine, program, timeline, step));
    if (!parts.details) return run;
    run.share_of_compute = shares_of_compute(program);
    for (std::size_t lane = 0; lane < kLanes; ++lane) run.utilisation[lane] = timeline.busy[lane].si() / step_s;
    run.components = component_times(program);
    run.path = critical_path(program, timeline, scenario.platform.accelerator.name);
    run.bottleneck = bottleneck_of(run);
    run.resources = resources_of(scenario, machine, program, timeline);
    return run;
}

}  // namespace strata
