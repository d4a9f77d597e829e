// Times launches that find their data cold.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/bench/stage.hpp"
#include "kernels/bench/statistics.hpp"
#include "kernels/work.hpp"

namespace strata {

using Launch = std::function<void(int set, cudaStream_t)>;

// How a launch is kept from finding its operands in the L2. Taking turns over sets of operands that are three times the
// L2 together is fairer to kernels that write much: each pays for the dirty lines that the one before has left. Small
// operands would need hundreds of sets: there the L2 is flushed by reading.
struct Cold {
    int sets = 1;
    bool flush = true;
};
Cold cold_for(Bytes set, std::int64_t l2_bytes, std::int64_t free_bytes);

struct TimingLimits {
    int warm_ups = 5;
    int at_least = 30;
    double steady = 0.01;  // stop once the median absolute deviation is below this share of the median
    double seconds = 0.5;  // or after this long
};

// A stream with a gate, a flush and two events.
class Stage {
public:
    explicit Stage(std::int64_t l2_bytes);
    ~Stage();
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    cudaStream_t stream() const { return stream_; }
    // One launch of each, in turn, again and again; microseconds by variant.
    std::vector<std::vector<double>> time(const std::vector<Launch>& variants, const Cold& cold,
                                          const TimingLimits& limits);
    void flush() { flush_.queue(stream_); }
    void finish() const;  // waits; throws CudaError where a launch has failed

private:
    double time_once(const Launch& launch, int set, bool flush);

    cudaStream_t stream_ = nullptr;
    cudaEvent_t begin_ = nullptr, end_ = nullptr;
    Gate gate_;
    Flush flush_;
};

}  // namespace strata
