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

template <class Thread>
STRATA_BODY void update_bias(Thread& t, const BiasUpdateTask& task) {
    long long sum = 0;
    for (int expert = t.thread(); expert < task.experts; expert += kBiasUpdateThreads) sum += task.counts[expert];
    sum = block_sum(t, sum, reinterpret_cast<long long*>(t.shared()));
    for (int expert = t.thread(); expert < task.experts; expert += kBiasUpdateThreads) {
        const long long load = (long long)(task.counts[expert]) * task.experts;
        if (load != sum) task.bias[expert] += load < sum ? task.speed : -task.speed;
    }
}

}  // namespace strata
