#pragma once

#include <cuda_runtime.h>

#include "kernels/engram/stream_event.hpp"
#include "kernels/engram/table_swap.hpp"

namespace strata {

// By a copy engine, on a stream beside the one that steps are launched on.
class StreamCopies : public BackgroundCopies {
public:
    StreamCopies(cudaStream_t steps, cudaStream_t copies) : steps_(steps), copies_(copies) {}

    void after_steps_so_far() override {
        steps_so_far_.mark(steps_);
        steps_so_far_.make_wait(copies_);
    }
    void start(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) override {
        check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, copies_), "copying a part of a table");
        last_copy_.mark(copies_);
    }
    bool all_arrived() override { return last_copy_.passed(); }

private:
    cudaStream_t steps_, copies_;
    StreamEvent steps_so_far_, last_copy_;
};

}  // namespace strata
