// A training step as tasks that wait for each other: each device has a lane that computes and one that communicates,
// and a lane does its tasks one at a time in the order in which they were added.
#pragma once

#include <cstdint>
#include <vector>

#include "hwmodels/units.hpp"

namespace strata {

enum class StepLane : std::uint8_t { compute, communication };

class StepGraph {
public:
    struct Wait {
        int task;
        Seconds lag{};  // after its end
    };
    struct Span {
        Seconds begin, end;
    };

    // Returns the task's number. It may wait for tasks that are added later.
    int add(int device, StepLane lane, Seconds duration);
    void wait(int task, Wait for_other) { tasks_[static_cast<std::size_t>(task)].waits.push_back(for_other); }

    // When each task runs: as soon as its lane and all it waits for allow. Throws std::logic_error where tasks wait for
    // each other in a circle.
    std::vector<Span> run() const;
    Seconds busy(int device, StepLane lane) const;

private:
    struct Task {
        int device;
        StepLane lane;
        Seconds duration;
        std::vector<Wait> waits;
    };
    std::vector<Task> tasks_;
};

}  // namespace strata
