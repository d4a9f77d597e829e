#include "kernels/profiler/activity.hpp"

#include <cupti.h>

#include <cstdlib>
#include <mutex>

namespace strata {

namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

// CUPTI's callbacks take no argument of ours: what they collect has to lie here.
struct Collected {
    const CuptiLibrary* cupti = nullptr;
    std::mutex mutex;
    std::vector<KernelActivity> kernels;
};
Collected& collected() {
    static Collected all;
    return all;
}

void CUPTIAPI give_buffer(std::uint8_t** buffer, std::size_t* bytes, std::size_t* records) {
    *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(8, kBufferBytes));
    *bytes = *buffer ? kBufferBytes : 0;
    *records = 0;  // as many as fit
}

void CUPTIAPI take_buffer(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t, std::size_t valid) {
    Collected& all = collected();
    const std::lock_guard<std::mutex> lock(all.mutex);
    const auto next = all.cupti->function<std::remove_pointer_t<decltype(&cuptiActivityGetNextRecord)>>(
        "cuptiActivityGetNextRecord", nullptr);
    for (CUpti_Activity* record = nullptr; next(buffer, valid, &record) == CUPTI_SUCCESS;) {
        if (record->kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) continue;
        const auto* kernel = reinterpret_cast<const CUpti_ActivityKernel10*>(record);
        all.kernels.push_back({.name = kernel->name ? kernel->name : "",
                               .us = double(kernel->end - kernel->start) / 1e3,
                               .registers = kernel->registersPerThread,
                               .static_shared_bytes = kernel->staticSharedMemory,
                               .dynamic_shared_bytes = kernel->dynamicSharedMemory});
    }
    std::free(buffer);
}

}  // namespace

ActivityRecorder::ActivityRecorder(const CuptiLibrary& cupti) : cupti_(cupti) {
    {
        const std::lock_guard<std::mutex> lock(collected().mutex);
        collected().cupti = &cupti;
        collected().kernels.clear();
    }
    STRATA_CUPTI(cupti_, cuptiActivityRegisterCallbacks, give_buffer, take_buffer);
    STRATA_CUPTI(cupti_, cuptiActivityEnable, CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
    running_ = true;
}

ActivityRecorder::~ActivityRecorder() {
    try {
        stop();
    } catch (const CuptiError&) {  // a destructor has nobody to tell
    }
}

std::vector<KernelActivity> ActivityRecorder::stop() {
    if (running_) {
        running_ = false;
        STRATA_CUPTI(cupti_, cuptiActivityFlushAll, CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
        STRATA_CUPTI(cupti_, cuptiActivityDisable, CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
    }
    const std::lock_guard<std::mutex> lock(collected().mutex);
    return std::move(collected().kernels);
}

}  // namespace strata
