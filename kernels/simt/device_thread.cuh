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

// A barrier in shared memory (mbarrier) on which threads arrive and copies complete.
struct DeviceBarrier {
    std::uint64_t state;
};

class DeviceThread {
public:
    using Mailbox = DeviceMailbox;
    using Barrier = DeviceBarrier;

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

    // The block's dynamic shared memory, 1024-byte aligned for swizzled tiles; a body divides it itself.
    __device__ static unsigned char* shared() {
        extern __shared__ __align__(1024) unsigned char bytes[];
        return bytes;
    }

    // A cluster: blocks that see each other's shared memory.
    __device__ int cluster_rank() const { return int(cooperative_groups::this_cluster().block_rank()); }
    __device__ int cluster_size() const { return int(cooperative_groups::this_cluster().num_blocks()); }
    __device__ void sync_cluster() const { cooperative_groups::this_cluster().sync(); }
    // The same in two halves, for blocks that need to know of each other only that they run and have opened barriers:
    // nothing else that was written before is shown to others, and so nothing waits until it is.
    __device__ void arrive_at_cluster() const { asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory"); }
    __device__ void wait_for_cluster() const { asm volatile("barrier.cluster.wait.aligned;" ::: "memory"); }
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

    // Barriers between warps with different work, in phases: a phase ends when `arrivals` threads have arrived and all
    // bytes that they said they expect have come; the first has parity 0. wait(b, parity) returns once the phase of
    // that parity is over; for a barrier that was just opened, wait(b, 1) returns at once. One thread opens all
    // barriers and publishes them, then the block syncs.
    __device__ static void open_barrier(Barrier* mine, int arrivals) {
        asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address(mine)), "r"(arrivals) : "memory");
    }
    __device__ static void publish_barriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
    __device__ static void arrive(Barrier* mine) {
        asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(address(mine)) : "memory");
    }
    // At the barrier of block `rank` of the cluster that is where `mine` is in this one.
    __device__ static void arrive_at(int rank, Barrier* mine) {
        std::uint32_t theirs;
        asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(theirs) : "r"(address(mine)), "r"(rank));
        asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(theirs) : "memory");
    }
    __device__ static void arrive_expecting(Barrier* mine, int bytes) {
        asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address(mine)), "r"(bytes)
                     : "memory");
    }
    __device__ static void wait(Barrier* mine, int parity) {
        asm volatile(
            "{\n"
            ".reg .pred over;\n"
            "again:\n"
            "mbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n"
            "@over bra done;\n"
            "bra again;\n"
            "done:\n"
            "}" ::"r"(address(mine)),
            "r"(parity)
            : "memory");
    }
    // A barrier of `threads` of the block's threads, whole warps: number 1 to 15.
    __device__ static void sync_group(int barrier, int threads) {
        asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
    }
    // What this thread wrote to shared memory with ordinary stores is seen by wgmma and bulk copies that begin after a
    // barrier that follows this.
    __device__ static void show_to_async_copies() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
    // One lane of the warp, always the same.
    __device__ static bool elected() {
        std::uint32_t is;
        asm volatile(
            "{\n"
            ".reg .pred is;\n"
            "elect.sync _|is, 0xFFFFFFFF;\n"
            "selp.u32 %0, 1, 0, is;\n"
            "}"
            : "=r"(is));
        return is != 0;
    }
    // All threads of a warpgroup change how many registers each has (setmaxnreg); needs __launch_bounds__(threads, 1).
    template <int registers>
    __device__ static void take_registers() {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
    }
    template <int registers>
    __device__ static void give_back_registers() {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
    }
    __device__ static std::uint32_t shared_address(const void* mine) { return address(mine); }

private:
    __device__ static std::uint32_t address(const void* shared) {
        return std::uint32_t(__cvta_generic_to_shared(shared));
    }
    static constexpr unsigned kAll = 0xFFFFFFFFu;
};

}  // namespace strata

#endif
