// The chain of tasks that makes a step as long as it is: each began when the one before it in the chain let it, because
// it had ended or because its lane was free again.
#pragma once

#include <vector>

#include "sim/workload/program.hpp"

namespace strata {

struct CriticalTask {
    std::uint32_t task = 0;  // in Program::tasks
    Seconds released{};      // when the one before let it begin
    Seconds until{};         // when it let the next go on: its own end, or before that
};

// From the step's last task to its first.
std::vector<CriticalTask> critical_tasks(const Program& program, const Timeline& timeline);

}  // namespace strata
