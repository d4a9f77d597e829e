// A thread of a running kernel, under the names that the emulator has too: bodies are written against these names and
// run unchanged in both. Blocks are one-dimensional and a multiple of 32 threads; warp operations take all 32 lanes.
#pragma once

#ifdef STRATA_EMULATED  // compiled by g++: the thread of a kernel is a fibre
#include "kernels/simt/emulator.hpp"

namespace strata {

class DeviceThread : public EmulatedThread {
public:
    DeviceThread() : EmulatedThread(EmulatedThread::running()) {}
};

}  // namespace strata

#else
#include <cooperative_groups.h>

#include <cstdint>

namespace strata {

// What tells a block that others' sends have come: a barrier that counts bytes (mbarrier), a phase after the other.
struct DeviceMailbox {
    std::uint64_t barrier;
};

class DeviceThread {
public:
    using Mailbox = DeviceMailbox;

    __device__ int thread() const { return threadIdx.x; }
    __device__ int threads() const { return blockDim.x; }
    __device__ int block() const { return blockIdx.x; }
    __device__ int blocks() const { return gridDim.x; }
    __device__ int row() const { return blockIdx.y; }  // second dimension of the grid
    __device__ int rows() const { return gridDim.y; }
    __device__ int lane() const { return threadIdx.x & 31; }
    __device__ int warp() const { return threadIdx.x >> 5; }
    __device__ int warps() const { return blockDim.x >> 5; }

    __device__ void sync() const { __syncthreads(); }
    __device__ void sync_warp() const { __syncwarp(); }

    template <class T>
    __device__ T shuffle(T value, int from_lane) const {
        return __shfl_sync(kAll, value, from_lane);
    }
    template <class T>
    __device__ T shuffle_xor(T value, int lanes) const {
        return __shfl_xor_sync(kAll, value, lanes);
    }
    // From the lane `lanes` below; the lowest ones keep their own.
    template <class T>
    __device__ T shuffle_up(T value, int lanes) const {
        return __shfl_up_sync(kAll, value, lanes);
    }
    __device__ unsigned ballot(bool predicate) const { return __ballot_sync(kAll, predicate); }
    __device__ static int ones(unsigned bits) { return __popc(bits); }
    // The lanes that hold the same value.
    __device__ unsigned match_any(unsigned value) const { return __match_any_sync(kAll, value); }
    // Over the warp, in one instruction.
    __device__ unsigned largest(unsigned value) const { return __reduce_max_sync(kAll, value); }

    // Returns what was there before.
    template <class T>
    __device__ static T atomic_add(T* at, T value) {
        return atomicAdd(at, value);
    }
    template <class T>
    __device__ static T atomic_max(T* at, T value) {
        return atomicMax(at, value);
    }
    template <class T>
    __device__ static T atomic_cas(T* at, T expected, T desired) {
        return atomicCAS(at, expected, desired);
    }

    // The block's dynamic shared memory, 16-byte aligned; a body divides it itself.
    __device__ static unsigned char* shared() {
        extern __shared__ __align__(16) unsigned char bytes[];
        return bytes;
    }

    // A cluster: blocks that see each other's shared memory.
    __device__ int cluster_rank() const { return int(cooperative_groups::this_cluster().block_rank()); }
    __device__ int cluster_size() const { return int(cooperative_groups::this_cluster().num_blocks()); }
    __device__ void sync_cluster() const { cooperative_groups::this_cluster().sync(); }
    template <class T>
    __device__ T* shared_of(int rank, T* mine) const {
        return cooperative_groups::this_cluster().map_shared_rank(mine, rank);
    }

    // Mail: four bytes sent to another block's shared memory, which its threads may read once they have waited for all
    // that is expected in a phase. No fence is needed, and nobody waits for those that only send. One thread opens a
    // mailbox, before the cluster's first barrier, and says what it expects of each phase; the first has parity 0.
    __device__ static void open_mailbox(Mailbox* mine) {
        asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(address(mine)) : "memory");
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __device__ static void expect_mail(Mailbox* mine, int bytes) {
        asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address(mine)), "r"(bytes)
                     : "memory");
    }
    // To where `at` and `box` are in the memory of block `rank`.
    template <class T>
    __device__ static void send(int rank, T* at, T value, Mailbox* box) {
        static_assert(sizeof(T) == 4);
        std::uint32_t bits, to, to_box;
        memcpy(&bits, &value, 4);
        asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(to) : "r"(address(at)), "r"(rank));
        asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(to_box) : "r"(address(box)), "r"(rank));
        asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%0], %1, [%2];" ::"r"(to), "r"(bits),
                     "r"(to_box)
                     : "memory");
    }
    // Of the block's scope: one of the cluster's would empty L1 each time, where mail never is.
    __device__ static void wait_for_mail(Mailbox* mine, int parity) {
        asm volatile(
            "{\n"
            ".reg .pred come;\n"
            "again:\n"
            "mbarrier.try_wait.parity.shared::cta.b64 come, [%0], %1;\n"
            "@come bra done;\n"
            "bra again;\n"
            "done:\n"
            "}" ::"r"(address(mine)),
            "r"(parity)
            : "memory");
    }

private:
    __device__ static std::uint32_t address(const void* shared) {
        return std::uint32_t(__cvta_generic_to_shared(shared));
    }
    static constexpr unsigned kAll = 0xFFFFFFFFu;
};

}  // namespace strata

#endif
