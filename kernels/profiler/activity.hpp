// The GPU's own begin and end of every kernel (CUPTI activity records): a second clock beside the events.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/profiler/cupti_library.hpp"

namespace strata {

struct KernelActivity {
    std::string name;  // demangled or not, as CUPTI gives it
    double us = 0;
    int registers = 0;
    std::int64_t static_shared_bytes = 0, dynamic_shared_bytes = 0;
};

// Collects between its construction and stop(). One at a time in a process. Throws CuptiError where CUPTI refuses.
class ActivityRecorder {
public:
    explicit ActivityRecorder(const CuptiLibrary& cupti);
    ~ActivityRecorder();
    ActivityRecorder(const ActivityRecorder&) = delete;
    ActivityRecorder& operator=(const ActivityRecorder&) = delete;
    std::vector<KernelActivity> stop();

private:
    const CuptiLibrary& cupti_;
    bool running_ = false;
};

}  // namespace strata
