// A thread of a running kernel, under the names that the emulator has too: bodies are written against these names and
// run unchanged in both. Blocks are one-dimensional and a multiple of 32 threads; warp operations take all 32 lanes.
#pragma once

#include <cooperative_groups.h>

namespace strata {

class DeviceThread {
public:
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
    // The two halves of sync_cluster: what was written before all arrived is seen after waiting; between them a thread
    // does something else.
    __device__ void arrive_cluster() const { asm volatile("barrier.cluster.arrive.release;" ::: "memory"); }
    __device__ void wait_cluster() const { asm volatile("barrier.cluster.wait.acquire;" ::: "memory"); }
    template <class T>
    __device__ T* shared_of(int rank, T* mine) const {
        return cooperative_groups::this_cluster().map_shared_rank(mine, rank);
    }

private:
    static constexpr unsigned kAll = 0xFFFFFFFFu;
};

}  // namespace strata
