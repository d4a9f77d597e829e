#include "sim/training/pipeline_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>

#include "hwmodels/input_error.hpp"

namespace strata {

namespace {

using Tasks = std::vector<PipelineTask>;

PipelineTask forward(int micro_batch, int stage) { return {Pass::forward, {micro_batch, stage}, {}}; }
PipelineTask backward(int micro_batch, int stage, Pass pass) { return {pass, {}, {micro_batch, stage}}; }

Tasks gpipe(int stage, int micro_batches) {
    Tasks tasks;
    for (int m = 0; m < micro_batches; ++m) tasks.push_back(forward(m, stage));
    for (int m = micro_batches; m-- > 0;) tasks.push_back(backward(m, stage, Pass::backward));
    return tasks;
}

// As many forwards first as there are stages behind; then in turn.
Tasks one_f_one_b(int stage, int stages, int micro_batches) {
    Tasks tasks;
    const int ahead = std::min(stages - 1 - stage, micro_batches);
    for (int m = 0; m < ahead; ++m) tasks.push_back(forward(m, stage));
    for (int m = 0; m < micro_batches; ++m) {
        if (m + ahead < micro_batches) tasks.push_back(forward(m + ahead, stage));
        tasks.push_back(backward(m, stage, Pass::backward));
    }
    return tasks;
}

// Stage i puts off i weight gradients: so many activations fewer than stage 0 it has of forwards.
Tasks zb1p(int stage, int stages, int micro_batches) {
    Tasks tasks;
    const int ahead = std::min(stages - 1 - stage, micro_batches);
    for (int m = 0; m < ahead; ++m) tasks.push_back(forward(m, stage));
    for (int m = 0; m < micro_batches; ++m) {
        if (m + ahead < micro_batches) tasks.push_back(forward(m + ahead, stage));
        tasks.push_back(backward(m, stage, Pass::backward_input));
        if (m >= stage) tasks.push_back(backward(m - stage, stage, Pass::backward_weights));
    }
    for (int m = std::max(0, micro_batches - stage); m < micro_batches; ++m)
        tasks.push_back(backward(m, stage, Pass::backward_weights));
    return tasks;
}

// One device of DualPipe or DualPipeV. It holds a stage for each of two ways: `near` is the way whose first half it is
// on, `far` the other. How far it stands from where the ways meet says how often it does each of eight things.
class BothWays {
public:
    struct Way {
        int stage, first, count;  // micro-batches first .. first + count - 1
    };
    BothWays(const Way& near, const Way& far, int stages, int from_end)
        : ways_{near, far}, before_middle_(stages / 2 - from_end - 1), from_end_(from_end) {
        const int steady = near.count - stages + from_end + 1;
        for (int i = 0; i < 2 * before_middle_; ++i) push_forward(kNear);
        for (int i = 0; i <= from_end_; ++i) {
            push_forward(kNear);
            push_forward(kFar);
        }
        for (int i = 0; i < before_middle_; ++i) {  // weight gradients fill the wait for the next forward
            push_backward(kFar, true);
            push_weights();
            push_forward(kFar);
        }
        for (int i = 0; i < steady; ++i) {
            if (i == 0 && before_middle_ == 0) {  // in the middle these two would hold each other up
                push_forward(kNear);
                push_backward(kFar, false);
            } else {
                push_both(kNear, kFar);
            }
            push_both(kFar, kNear);
        }
        for (int i = 0; i < before_middle_; ++i) {
            push_backward(kFar, false);
            push_both(kFar, kNear);
        }
        finish();
    }
    Tasks tasks() && { return std::move(tasks_); }

private:
    static constexpr int kNear = 0, kFar = 1;

    // From the middle of the last backwards on, weight gradients are put off: the neighbour waits for inputs'.
    void finish() {
        const int turns = from_end_ + 1, half = turns / 2;
        for (int i = 0; i < turns; ++i) {
            push_backward(kFar, from_end_ % 2 == 1 ? i >= half : i > half);
            push_backward(kNear, i >= half);
        }
        for (int i = 0; i < before_middle_; ++i) {
            push_weights();
            push_backward(kNear, true);
        }
        while (!put_off_.empty()) push_weights();
    }

    MicroStage next(std::array<int, 2>& done, int way) {
        const Way& w = ways_[static_cast<std::size_t>(way)];
        return {w.first + done[static_cast<std::size_t>(way)]++, w.stage};
    }
    void push_forward(int way) { tasks_.push_back({Pass::forward, next(forwards_, way), {}}); }
    void push_backward(int way, bool puts_off_weights) {
        const MicroStage at = next(backwards_, way);
        tasks_.push_back({puts_off_weights ? Pass::backward_input : Pass::backward, {}, at});
        if (puts_off_weights) put_off_.push_back(at);
    }
    void push_both(int forward_way, int backward_way) {
        const MicroStage there = next(forwards_, forward_way), back = next(backwards_, backward_way);
        tasks_.push_back({Pass::forward_and_backward, there, back});
    }
    void push_weights() {
        tasks_.push_back({Pass::backward_weights, {}, put_off_.front()});
        put_off_.pop_front();
    }

    std::array<Way, 2> ways_;
    int before_middle_, from_end_;
    std::array<int, 2> forwards_{}, backwards_{};
    std::deque<MicroStage> put_off_;
    Tasks tasks_;
};

void check(PipelineKind kind, int stages, int micro_batches) {
    const auto refuse = [&](const std::string& expected) {
        throw InputError(fmt::format("pipeline {}", to_string(kind)), expected,
                         fmt::format("{} stages and {} micro-batches", stages, micro_batches));
    };
    if (stages < 1 || micro_batches < 1) refuse("at least one stage and one micro-batch");
    if (kind == PipelineKind::dualpipe && (stages % 2 != 0 || micro_batches % 2 != 0 || micro_batches < 2 * stages))
        refuse("even numbers of stages and micro-batches, at least two micro-batches a stage");
    if (kind == PipelineKind::dualpipe_v && (stages % 2 != 0 || micro_batches < stages))
        refuse("an even number of stages and at least as many micro-batches");
}

}  // namespace

std::string_view to_string(PipelineKind kind) {
    static constexpr std::array<std::string_view, 5> names{"gpipe", "1f1b", "zb1p", "dualpipe", "dualpipe_v"};
    return names[static_cast<std::size_t>(kind)];
}

PipelineSchedule pipeline_schedule(PipelineKind kind, int stages, int micro_batches) {
    check(kind, stages, micro_batches);
    PipelineSchedule schedule{kind, stages, micro_batches, {}};
    const int devices = kind == PipelineKind::dualpipe_v ? stages / 2 : stages;
    for (int device = 0; device < devices; ++device) {
        const int mirrored = stages - 1 - device;
        switch (kind) {
            case PipelineKind::gpipe: schedule.of_device.push_back(gpipe(device, micro_batches)); break;
            case PipelineKind::one_f_one_b:
                schedule.of_device.push_back(one_f_one_b(device, stages, micro_batches));
                break;
            case PipelineKind::zb1p: schedule.of_device.push_back(zb1p(device, stages, micro_batches)); break;
            case PipelineKind::dualpipe: {  // the first half of the micro-batches enters at device 0, the other at the
                                            // end
                const int half = micro_batches / 2;
                const BothWays::Way down{device, 0, half}, up{mirrored, half, half};
                const bool first_half = device < mirrored;
                schedule.of_device.push_back(
                    BothWays(first_half ? down : up, first_half ? up : down, stages, std::min(device, mirrored))
                        .tasks());
                break;
            }
            case PipelineKind::dualpipe_v:
                schedule.of_device.push_back(
                    BothWays({device, 0, micro_batches}, {mirrored, 0, micro_batches}, stages, device).tasks());
                break;
        }
    }
    return schedule;
}

}  // namespace strata
