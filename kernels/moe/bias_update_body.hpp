// One block: the mean is of all experts. Counts are compared as integers (count * experts against the sum), so that
// equal loads leave a bias untouched, to the bit.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/simt/grid.hpp"
#include "kernels/simt/warp.hpp"

namespace strata {

struct BiasUpdateTask {
    const std::int32_t* counts = nullptr;  // [experts], tokens that chose each
    float* bias = nullptr;                 // [experts], updated in place
    int experts = 0;
    float speed = 0.001f;  // V3 and V4: 0.001
};

inline void require_valid(const BiasUpdateTask& task) {
    if (task.experts < 0) throw std::invalid_argument("bias update: " + std::to_string(task.experts) + " experts");
    if (task.experts > 0 && (!task.counts || !task.bias))
        throw std::invalid_argument("bias update: a buffer is missing (counts and bias are needed)");
}

inline constexpr int kBiasUpdateThreads = 256;

inline Grid grid_of(const BiasUpdateTask&) {
    return {.threads = kBiasUpdateThreads, .shared_bytes = kBiasUpdateThreads / 32 * sizeof(long long)};
}

// All that a thread's first expert has is asked for before anything is waited for: this kernel is one trip to memory.
template <class Thread>
STRATA_BODY void update_bias(Thread& t, const BiasUpdateTask& task) {
    const bool stands = t.thread() < task.experts;
    const std::int32_t first_count = stands ? task.counts[t.thread()] : 0;
    const float first_bias = stands ? task.bias[t.thread()] : 0;
    long long sum = first_count;
    for (int expert = t.thread() + kBiasUpdateThreads; expert < task.experts; expert += kBiasUpdateThreads)
        sum += task.counts[expert];
    sum = block_sum(t, sum, reinterpret_cast<long long*>(t.shared()));
    for (int expert = t.thread(); expert < task.experts; expert += kBiasUpdateThreads) {
        const bool first = expert == t.thread();
        const long long load = (long long)(first ? first_count : task.counts[expert]) * task.experts;
        const float bias = first ? first_bias : task.bias[expert];
        if (load != sum) task.bias[expert] = bias + (load < sum ? task.speed : -task.speed);
    }
}

}  // namespace strata
