#pragma once

#include <cuda_runtime.h>

#include <memory>

#include "kernels/launch.cuh"

namespace strata {

// A point in a stream that others wait for; before the first mark there is nothing to wait for.
class StreamEvent {
public:
    StreamEvent() : event_(created(), cudaEventDestroy) {}
    void mark(cudaStream_t stream) { check_cuda(cudaEventRecord(event_.get(), stream), "marking a point in a stream"); }
    void make_wait(cudaStream_t stream) const {
        check_cuda(cudaStreamWaitEvent(stream, event_.get()), "making a stream wait");
    }
    void wait() const { check_cuda(cudaEventSynchronize(event_.get()), "waiting for a stream"); }
    bool passed() const {
        const cudaError_t code = cudaEventQuery(event_.get());
        if (code != cudaErrorNotReady) check_cuda(code, "asking how far a stream is");
        return code == cudaSuccess;
    }

private:
    static cudaEvent_t created() {
        cudaEvent_t event = nullptr;
        check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "creating an event");
        return event;
    }
    std::unique_ptr<CUevent_st, cudaError_t (*)(cudaEvent_t)> event_;
};

}  // namespace strata
