// Copies from global to shared memory that pass no register and that a thread need not wait for (cp.async): it starts
// some, closes them as a group, and later waits until all but the newest groups are there. Others of the block see
// them after a barrier; or the copies themselves arrive at a barrier of the block. The emulator fills the place with
// rubbish when a copy starts and copies when it is waited for, so that a start too early and a wait too late both show.
#pragma once

#include "kernels/simt/portable.hpp"

#ifndef __CUDACC__
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>
#endif

namespace strata {

#ifdef __CUDACC__

class AsyncCopies {
public:
    // Sixteen bytes; both addresses must be aligned to sixteen.
    __device__ void copy16(void* shared, const void* global) {
        asm volatile(
            "cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(unsigned(__cvta_generic_to_shared(shared))),
            "l"(global)
            : "memory");
    }
    __device__ void close_group() { asm volatile("cp.async.commit_group;" ::: "memory"); }
    template <int newest>
    __device__ void wait_for_all_but() {
        asm volatile("cp.async.wait_group %0;" ::"n"(newest) : "memory");
    }
    // Instead of a group: an arrival of this thread at the barrier once all that it has started is there.
    template <class Thread>
    __device__ void arrive_when_there(Thread& t, typename Thread::Barrier* barrier) {
        asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(t.shared_address(barrier))
                     : "memory");
    }
};

#else

class AsyncCopies {
public:
    void copy16(void* shared, const void* global) {
        std::memset(shared, 0xA5, 16);
        open_.emplace_back(shared, global);
    }
    void close_group() { groups_.push_back(std::move(open_)), open_.clear(); }
    template <int newest>
    void wait_for_all_but() {
        while (int(groups_.size()) > newest) {
            for (const auto& [shared, global] : groups_.front()) std::memcpy(shared, global, 16);
            groups_.erase(groups_.begin());
        }
    }
    template <class Thread>
    void arrive_when_there(Thread& t, typename Thread::Barrier* barrier) {
        t.arrive_expecting(barrier, 1);
        t.copy_later(barrier, 1, [copies = std::exchange(open_, {})] {
            for (const auto& [shared, global] : copies) std::memcpy(shared, global, 16);
        });
    }

private:
    using Copies = std::vector<std::pair<void*, const void*> >;
    Copies open_;
    std::vector<Copies> groups_;
};

#endif

}  // namespace strata
