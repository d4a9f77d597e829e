#include "kernels/bench/timing.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace strata {

Cold cold_for(Bytes set, std::int64_t l2_bytes, std::int64_t free_bytes) {
    constexpr int kMostSets = 64;
    const double wanted = set.si() > 0 ? std::ceil(3.0 * double(l2_bytes) / set.si()) + 1 : kMostSets + 1;
    if (wanted > kMostSets) return {.sets = 1, .flush = true};
    // Operands of one set are larger than their traffic where a kernel leaves some untouched: half of memory is kept
    // free.
    const double room = std::floor(0.5 * double(free_bytes) / set.si());
    if (room < wanted) return {.sets = 1, .flush = true};
    return {.sets = int(std::max(2.0, wanted)), .flush = false};
}

Stage::Stage(std::int64_t l2_bytes) : flush_(l2_bytes) {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
    check_cuda(cudaEventCreate(&begin_), "making an event");
    check_cuda(cudaEventCreate(&end_), "making an event");
}

Stage::~Stage() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
    cudaStreamDestroy(stream_);
}

void Stage::finish() const { check_cuda(cudaStreamSynchronize(stream_), "running a kernel"); }

double Stage::time_once(const Launch& launch, int set, bool flush) {
    if (flush) flush_.queue(stream_);
    gate_.close(stream_);
    try {
        check_cuda(cudaEventRecord(begin_, stream_), "recording an event");
        launch(set, stream_);
        check_cuda(cudaEventRecord(end_, stream_), "recording an event");
    } catch (...) {
        gate_.open();
        throw;
    }
    gate_.open();
    finish();
    float ms = 0;
    check_cuda(cudaEventElapsedTime(&ms, begin_, end_), "reading an event");
    return ms * 1e3;
}

std::vector<std::vector<double>> Stage::time(const std::vector<Launch>& variants, const Cold& cold,
                                             const TimingLimits& limits) {
    // A kernel's code is loaded at its first launch, which a closed gate could block for ever.
    check_cuda(cudaDeviceSynchronize(), "preparing operands");  // filled on the default stream
    for (const Launch& launch : variants) launch(0, stream_);
    finish();
    int turn = 0;
    const auto round = [&](const auto& keep) {
        for (std::size_t which = 0; which < variants.size(); ++which)
            keep(which, time_once(variants[which], turn++ % cold.sets, cold.flush));
    };
    for (int i = 0; i < limits.warm_ups; ++i) round([](std::size_t, double) {});
    std::vector<std::vector<double>> times(variants.size());
    const auto steady = [&](const std::vector<double>& samples) {
        const Spread spread = spread_of(samples);
        return spread.mad <= limits.steady * spread.median;
    };
    const auto begin = std::chrono::steady_clock::now();
    const auto spent = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
    while (int(times.front().size()) < limits.at_least ||
           (spent() < limits.seconds && !std::all_of(times.begin(), times.end(), steady)))
        round([&](std::size_t which, double us) { times[which].push_back(us); });
    return times;
}

}  // namespace strata
