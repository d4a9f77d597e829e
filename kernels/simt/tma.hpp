// Bulk copies between the accelerator's memory and shared memory that pass no register (TMA): boxes of a tensor map,
// swizzled on the way, or plain runs of bytes. One thread starts a copy.
//
//   auto* full = reinterpret_cast<typename Thread::Barrier*>(t.shared() + ...);     // 8 bytes each, aligned
//   if (t.thread() == 0) t.open_barrier(full, 1), t.publish_barriers();
//   t.sync();
//   if (t.thread() == 0) {
//       t.arrive_expecting(full, bytes of all boxes below);        // what lies outside of the tensor counts too
//       load_box(t, tile, map, full, k, row);                      // tile: at a multiple of 1024 where it is swizzled
//   }
//   t.wait(full, parity);                                          // everyone who reads the tile; parity 0, 1, 0, ...
//
// To global memory: write the tile, t.show_to_async_copies(), a barrier, then one thread
//   BulkStores stores;  stores.store_box(t, map, tile, k, row);  stores.close_group();
//   stores.wait_until_read<0>();      // the tile may be overwritten; the kernel must not end before this
//
// The emulator makes the destination rubbish when a load starts and brings it when somebody waits for its barrier; it
// reads the source of a store when that is waited for.
#pragma once

#include "kernels/simt/portable.hpp"
#include "kernels/simt/tensor_map.hpp"

#ifndef __CUDACC__
#include "kernels/simt/emulated_tma.hpp"
#endif

namespace strata {

#ifdef __CUDACC__

// Fetches the map itself, so that the first copy does not wait for it.
template <class Thread>
STRATA_BODY void prefetch_map(Thread&, const TensorMap& map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

template <class Thread>
STRATA_BODY void load_box(Thread& t, void* tile, const TensorMap& map, typename Thread::Barrier* full, int x, int y) {
    asm volatile(
        "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(
            t.shared_address(tile)),
        "l"(&map), "r"(t.shared_address(full)), "r"(x), "r"(y)
        : "memory");
}

template <class Thread>
STRATA_BODY void load_box(Thread& t, void* tile, const TensorMap& map, typename Thread::Barrier* full, int x, int y,
                          int z) {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], "
        "[%2];" ::"r"(t.shared_address(tile)),
        "l"(&map), "r"(t.shared_address(full)), "r"(x), "r"(y), "r"(z)
        : "memory");
}

// Both addresses and `bytes` must be multiples of 16.
template <class Thread>
STRATA_BODY void load_run(Thread& t, void* to, const void* global, int bytes, typename Thread::Barrier* full) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                     t.shared_address(to)),
                 "l"(__cvta_generic_to_global(global)), "r"(bytes), "r"(t.shared_address(full))
                 : "memory");
}

class BulkStores {
public:
    template <class Thread>
    __device__ void store_box(Thread& t, const TensorMap& map, const void* tile, int x, int y) {
        asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(&map),
                     "r"(t.shared_address(tile)), "r"(x), "r"(y)
                     : "memory");
    }
    template <class Thread>
    __device__ void store_box(Thread& t, const TensorMap& map, const void* tile, int x, int y, int z) {
        asm volatile("cp.async.bulk.tensor.3d.global.shared::cta.bulk_group [%0, {%2, %3, %4}], [%1];" ::"l"(&map),
                     "r"(t.shared_address(tile)), "r"(x), "r"(y), "r"(z)
                     : "memory");
    }
    template <class Thread>
    __device__ void store_run(Thread& t, void* global, const void* from, int bytes) {
        asm volatile(
            "cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(__cvta_generic_to_global(global)),
            "r"(t.shared_address(from)), "r"(bytes)
            : "memory");
    }
    __device__ void close_group() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
    template <int newest>
    __device__ void wait_until_read() {
        asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(newest) : "memory");
    }
    // And seen by others that this thread tells of it.
    template <int newest>
    __device__ void wait_until_written() {
        asm volatile("cp.async.bulk.wait_group %0;" ::"n"(newest) : "memory");
    }
};

#else

template <class Thread>
void prefetch_map(Thread&, const TensorMap&) {}

template <class Thread>
void load_box(Thread& t, void* tile, const TensorMap& map, typename Thread::Barrier* full, int x, int y, int z = 0) {
    const EmulatedBox box(t, map.tiles, tile, {x, y, z});
    box.spoil();
    t.copy_later(full, map.tiles.box_bytes(), [box] { box.load(); });
}

template <class Thread>
void load_run(Thread& t, void* to, const void* global, int bytes, typename Thread::Barrier* full) {
    check_run(t, global, to, bytes);
    std::memset(to, 0xA5, std::size_t(bytes));
    t.copy_later(full, bytes, [=] { std::memcpy(to, global, std::size_t(bytes)); });
}

class BulkStores {
public:
    template <class Thread>
    void store_box(Thread& t, const TensorMap& map, const void* tile, int x, int y, int z = 0) {
        open_.push_back([box = EmulatedBox(t, map.tiles, const_cast<void*>(tile), {x, y, z})] { box.store(); });
    }
    template <class Thread>
    void store_run(Thread& t, void* global, const void* from, int bytes) {
        check_run(t, global, from, bytes);
        open_.push_back([=] { std::memcpy(global, from, std::size_t(bytes)); });
    }
    void close_group() { groups_.push_back(std::move(open_)), open_.clear(); }
    template <int newest>
    void wait_until_read() {
        while (int(groups_.size()) > newest) {
            for (const std::function<void()>& store : groups_.front()) store();
            groups_.erase(groups_.begin());
        }
    }
    template <int newest>
    void wait_until_written() {
        wait_until_read<newest>();
    }

private:
    std::vector<std::function<void()> > open_;
    std::vector<std::vector<std::function<void()> > > groups_;
};

#endif

}  // namespace strata
