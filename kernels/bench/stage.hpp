// What a timed launch needs around it: a gate that holds the stream until everything is queued, a flush of the L2, and
// the clock of the multiprocessors.
#pragma once

#include <cuda_runtime.h>

#include "kernels/bench/device_buffer.hpp"

namespace strata {

// Holds a stream: what is queued behind the gate starts back to back once it opens, so that the time of a launch is not
// the time the host takes to queue it.
class Gate {
public:
    Gate();
    void close(cudaStream_t stream);  // queues a kernel that spins until open()
    void open();

private:
    Buffer<std::int32_t> open_;  // pinned: the host writes, the GPU polls
    std::int32_t turn_ = 0;
};

// Reads three times the L2, so that nothing of before is left in it. A memset would leave its own dirty lines, and the
// kernel that is timed next would pay for writing them back.
class Flush {
public:
    explicit Flush(std::int64_t l2_bytes);
    void queue(cudaStream_t stream);

private:
    Buffer<float> memory_;
    Buffer<float> sink_;
};

// Cycles of a multiprocessor per microsecond of the GPU's timer, over about 50 us. In MHz.
double sm_clock_mhz(cudaStream_t stream);

}  // namespace strata
