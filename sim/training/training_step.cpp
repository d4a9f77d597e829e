#include "sim/training/training_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "hwmodels/input_error.hpp"
#include "sim/training/step_graph.hpp"

namespace strata {

namespace {

bool has_forward(Pass pass) { return pass == Pass::forward || pass == Pass::forward_and_backward; }
bool has_input_gradient(Pass pass) {
    return pass == Pass::backward || pass == Pass::backward_input || pass == Pass::forward_and_backward;
}
bool has_weight_gradient(Pass pass) {
    return pass == Pass::backward || pass == Pass::backward_weights || pass == Pass::forward_and_backward;
}

class Step {
public:
    explicit Step(const TrainingStepSpec& spec) : spec_(spec) {}

    // Computing alone, or with what the data-parallel ranks do.
    void build(const std::optional<Sharding>& sharding) {
        for (std::size_t device = 0; device < spec_.schedule.of_device.size(); ++device) {
            const std::vector<int> computing = add_tasks(static_cast<int>(device), sharding);
            if (sharding) add_update(static_cast<int>(device), computing, *sharding);
        }
        for (const auto& [at, task] : forwards_) {
            if (at.stage > 0) wait_across(task, forwards_.at({at.micro_batch, at.stage - 1}));
        }
        for (const auto& [at, task] : input_gradients_) {
            graph_.wait(task, {forwards_.at(at)});
            if (at.stage + 1 < spec_.schedule.stages)
                wait_across(task, input_gradients_.at({at.micro_batch, at.stage + 1}));
        }
    }

    std::vector<StepGraph::Span> run() const { return graph_.run(); }
    Seconds computing(int device) const { return graph_.busy(device, StepLane::compute); }
    const std::vector<std::vector<int>>& tasks_of_device() const { return tasks_; }

private:
    const StageTimes& times(int stage) const {
        return spec_.stages[spec_.stages.size() == 1 ? 0 : static_cast<std::size_t>(stage)];
    }
    Seconds duration(const PipelineTask& task) const {
        switch (task.pass) {
            case Pass::forward: return times(task.forward.stage).forward;
            case Pass::backward_input: return times(task.backward.stage).backward_input;
            case Pass::backward_weights: return times(task.backward.stage).backward_weights;
            case Pass::backward:
                return times(task.backward.stage).backward_input + times(task.backward.stage).backward_weights;
            case Pass::forward_and_backward:
                return (times(task.forward.stage).together() + times(task.backward.stage).together()) / 2;
        }
        throw std::logic_error("a pass without a time");
    }

    // From another device it comes with a transfer; on the same one it is at hand.
    void wait_across(int task, int other) {
        const bool same = device_of_[static_cast<std::size_t>(task)] == device_of_[static_cast<std::size_t>(other)];
        graph_.wait(task, {other, same ? Seconds(0) : spec_.transfer});
    }

    int add(int device, StepLane lane, Seconds time) {
        device_of_.push_back(device);
        return graph_.add(device, lane, time);
    }

    std::vector<int> add_tasks(int device, const std::optional<Sharding>& sharding) {
        const bool gathers = sharding && sharding->zero == 3;
        const StepLane lane = sharding && sharding->overlaps ? StepLane::communication : StepLane::compute;
        std::vector<int> computing;
        std::vector<int> to_reduce;  // the task before this one, if it left gradients
        const auto reduce = [&] {
            for (const int task : to_reduce) graph_.wait(add(device, lane, sharding->reduce), {task});
            to_reduce.clear();
        };
        for (const PipelineTask& task : spec_.schedule.of_device[static_cast<std::size_t>(device)]) {
            const bool needs_parameters = task.pass != Pass::backward_weights;
            std::optional<int> gathered;
            if (gathers && needs_parameters) {
                gathered = add(device, lane, sharding->gather);
                // One task ahead: parameters of at most two tasks are there at a time.
                if (computing.size() >= 2) graph_.wait(*gathered, {computing[computing.size() - 2]});
            }
            if (lane == StepLane::communication) reduce();
            const int number = add(device, StepLane::compute, duration(task));
            if (gathered) graph_.wait(number, {*gathered});
            computing.push_back(number);
            note(task, number);
            if (gathers && has_weight_gradient(task.pass)) to_reduce.push_back(number);
            if (lane == StepLane::compute) reduce();
        }
        reduce();
        tasks_.push_back(computing);
        return computing;
    }

    void note(const PipelineTask& task, int number) {
        if (has_forward(task.pass)) forwards_[task.forward] = number;
        if (has_input_gradient(task.pass)) input_gradients_[task.backward] = number;
    }

    // After the last gradient of a stage they are reduced, unless each micro-batch's were; then the optimiser; then
    // parameters are gathered, unless the next step does it.
    void add_update(int device, const std::vector<int>& computing, const Sharding& sharding) {
        const StepLane lane = sharding.overlaps ? StepLane::communication : StepLane::compute;
        std::map<int, int> last_of_stage;
        const auto& tasks = spec_.schedule.of_device[static_cast<std::size_t>(device)];
        for (std::size_t i = 0; i < tasks.size(); ++i)
            if (has_weight_gradient(tasks[i].pass)) last_of_stage[tasks[i].backward.stage] = computing[i];
        // A lane works in order: who is ready first goes first.
        std::vector<int> lasts;
        for (const auto& [stage, task] : last_of_stage) lasts.push_back(task);
        std::sort(lasts.begin(), lasts.end());
        std::vector<int> reduced;
        for (const int last : lasts) {
            reduced.push_back(last);
            if (sharding.zero == 3) continue;
            reduced.back() = add(device, lane, sharding.reduce);
            graph_.wait(reduced.back(), {last});
        }
        const int barrier = add(device, lane, Seconds(0));  // behind all that the lane has reduced
        for (const int task : reduced) graph_.wait(barrier, {task});
        const int update = add(device, StepLane::compute, sharding.optimiser * double(lasts.size()));
        graph_.wait(update, {barrier});
        for (std::size_t i = 0; sharding.zero != 3 && i < lasts.size(); ++i)
            graph_.wait(add(device, lane, sharding.gather), {update});
    }

    const TrainingStepSpec& spec_;
    StepGraph graph_;
    std::vector<int> device_of_;
    std::vector<std::vector<int>> tasks_;  // of each device, as its schedule has them
    std::map<MicroStage, int> forwards_, input_gradients_;
};

// Activations are held from the begin of a forward to the end of the weight gradient that needs them.
int peak_activations(const std::vector<PipelineTask>& tasks) {
    int held = 0, peak = 0;
    for (const PipelineTask& task : tasks) {  // a device's tasks run in order, so time adds nothing
        if (has_forward(task.pass)) peak = std::max(peak, ++held);
        if (has_weight_gradient(task.pass)) --held;
    }
    return peak;
}

int stages_of(const std::vector<PipelineTask>& tasks) {
    std::set<int> stages;
    for (const PipelineTask& task : tasks)
        if (has_forward(task.pass)) stages.insert(task.forward.stage);
    return static_cast<int>(stages.size());
}

Seconds last_end(const std::vector<StepGraph::Span>& spans) {
    Seconds last;
    for (const StepGraph::Span& span : spans) last = std::max(last, span.end);
    return last;
}

}  // namespace

TrainingStep simulate_step(const TrainingStepSpec& spec) {
    if (spec.stages.size() != 1 && spec.stages.size() != static_cast<std::size_t>(spec.schedule.stages))
        throw InputError("training.stages", fmt::format("times of 1 or {} stages", spec.schedule.stages),
                         fmt::format("{}", spec.stages.size()));
    if (spec.sharding && spec.sharding->zero != 1 && spec.sharding->zero != 3)
        throw InputError("training.sharding.zero", "1 or 3", fmt::format("{}", spec.sharding->zero));
    Step computing(spec);
    computing.build({});
    TrainingStep step;
    step.pipeline = step.time = last_end(computing.run());
    for (std::size_t device = 0; device < spec.schedule.of_device.size(); ++device) {
        step.bubble.push_back(step.pipeline - computing.computing(static_cast<int>(device)));
        step.peak_activations.push_back(peak_activations(spec.schedule.of_device[device]));
        step.stages_held.push_back(stages_of(spec.schedule.of_device[device]));
    }
    if (!spec.sharding) return step;
    Step whole(spec);
    whole.build(spec.sharding);
    step.time = last_end(whole.run());
    return step;
}

Seconds TrainingStep::longest_bubble() const { return *std::max_element(bubble.begin(), bubble.end()); }
int TrainingStep::most_activations() const {
    return *std::max_element(peak_activations.begin(), peak_activations.end());
}

}  // namespace strata
