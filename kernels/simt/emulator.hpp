// Runs the body of a kernel on the host, thread by thread, so that its indexing, its shuffles and its barriers are
// tested where there is no GPU. A thread is a fibre: it runs until it waits for others. Running the same launch
// forward, reversed and shuffled (with warps and blocks that run ahead) shows barriers that are missing; a barrier that
// some never reach is reported with who waits where. It says nothing of memory ordering between warps that run at once,
// nor of speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>

#include "kernels/simt/grid.hpp"

namespace strata {

enum class ThreadOrder { forward, reversed, shuffled };
inline constexpr ThreadOrder kThreadOrders[] = {ThreadOrder::forward, ThreadOrder::reversed, ThreadOrder::shuffled};

class EmulatedCluster;

// What tells a block that others' sends have come: eight bytes of its shared memory, a phase after the other.
struct EmulatedMailbox {
    std::int32_t missing;   // bytes of this phase that have not come, where they are expected already
    std::int16_t expected;  // 1 once they are
    std::int16_t parity;    // of this phase
};

// A barrier in shared memory (mbarrier): a phase ends when all arrivals and all expected bytes have come.
struct EmulatedBarrier {
    std::uint16_t arrivals;    // a phase
    std::uint16_t missing;     // of this phase
    std::int32_t bytes : 24;   // expected and not yet come
    std::uint32_t parity : 1;  // of this phase
    std::uint32_t opened : 7;  // tells a barrier from rubbish
};

// The names of DeviceThread, for a fibre.
class EmulatedThread {
public:
    using Mailbox = EmulatedMailbox;
    using Barrier = EmulatedBarrier;

    EmulatedThread(EmulatedCluster& cluster, int fibre) : cluster_(cluster), fibre_(fibre) {}
    static EmulatedThread running();  // the fibre that calls; only inside a body

    int thread() const;
    int threads() const;
    int block() const;
    int blocks() const;
    int row() const;
    int rows() const;
    int lane() const { return thread() & 31; }
    int warp() const { return thread() >> 5; }
    int warps() const { return threads() >> 5; }

    void sync();
    void sync_warp();

    template <class T>
    T shuffle(T value, int from_lane) {
        return exchanged(value, from_lane & 31, "shuffle");
    }
    template <class T>
    T shuffle_xor(T value, int lanes) {
        return exchanged(value, (lane() ^ lanes) & 31, "shuffle_xor");
    }
    template <class T>
    T shuffle_up(T value, int lanes) {
        return exchanged(value, lane() >= lanes ? lane() - lanes : lane(), "shuffle_up");
    }
    unsigned ballot(bool predicate);
    // What each lane of the warp holds, of any size: for instructions that work on a warp's registers together. It has
    // no counterpart on the GPU.
    template <class T>
    void gather(const T& mine, T (&all)[32], const char* operation) {
        static_assert(std::is_trivially_copyable_v<T>);
        const std::uint64_t* addresses = lay_down(reinterpret_cast<std::uintptr_t>(&mine), operation);
        for (int from = 0; from < 32; ++from) all[from] = *reinterpret_cast<const T*>(addresses[from]);
        lay_down(0, operation);  // nobody changes his before all have read it
    }
    static int ones(unsigned bits) { return __builtin_popcount(bits); }
    unsigned match_any(unsigned value);
    unsigned largest(unsigned value);

    template <class T>
    static T atomic_add(T* at, T value) {
        const T before = *at;
        *at = T(before + value);
        return before;
    }
    template <class T>
    static T atomic_max(T* at, T value) {
        const T before = *at;
        if (before < value) *at = value;
        return before;
    }
    template <class T>
    static T atomic_cas(T* at, T expected, T desired) {
        const T before = *at;
        if (before == expected) *at = desired;
        return before;
    }

    unsigned char* shared() const;

    int cluster_rank() const;
    int cluster_size() const;
    void sync_cluster();
    void arrive_at_cluster() {}
    void wait_for_cluster() { sync_cluster(); }
    template <class T>
    T* shared_of(int rank, T* mine) {
        return reinterpret_cast<T*>(shared_at(rank, reinterpret_cast<unsigned char*>(mine)));
    }

    void open_mailbox(Mailbox* mine) { *mine = {}; }
    void expect_mail(Mailbox* mine, int bytes) {
        mine->missing += bytes, mine->expected = 1;
        deliver(mine);
    }
    template <class T>
    void send(int rank, T* at, T value, Mailbox* box) {
        *shared_of(rank, at) = value;
        Mailbox* theirs = shared_of(rank, box);
        theirs->missing -= int(sizeof(T));
        deliver(theirs);
    }
    void wait_for_mail(Mailbox* mine, int parity);

    void open_barrier(Barrier* mine, int arrivals);
    void publish_barriers() {}
    void arrive(Barrier* mine);
    void arrive_at(int rank, Barrier* mine) { shared_address(mine), arrive(shared_of(rank, mine)); }
    void arrive_expecting(Barrier* mine, int bytes);
    void wait(Barrier* mine, int parity);
    void sync_group(int barrier, int threads);
    void show_to_async_copies() {}
    bool elected() { return lane() == 0; }
    template <int registers>
    void take_registers() {
        static_assert(registers % 8 == 0 && registers >= 24 && registers <= 256);
    }
    template <int registers>
    void give_back_registers() {
        static_assert(registers % 8 == 0 && registers >= 24 && registers <= 256);
    }

    // Shared memory as the hardware addresses it: the first 1024 bytes of its window are the system's. Throws
    // std::logic_error for what is not this block's.
    static constexpr std::uint32_t kSharedWindow = 1024;
    std::uint32_t shared_address(const void* mine) const;
    unsigned char* at_shared_address(std::uint32_t address, int bytes) const;
    // A copy to shared memory that completes on a barrier, to be done when somebody waits for it.
    void copy_later(Barrier* mine, int bytes, std::function<void()> copy);

private:
    void deliver(Mailbox* box);
    template <class T>
    T exchanged(T value, int from_lane, const char* operation) {
        static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof(T));
        bits = exchange(bits, from_lane, operation);
        std::memcpy(&value, &bits, sizeof(T));
        return value;
    }
    std::uint64_t exchange(std::uint64_t value, int from_lane, const char* operation);
    const std::uint64_t* lay_down(std::uint64_t value, const char* operation);
    unsigned char* shared_at(int rank, unsigned char* mine) const;

    EmulatedCluster& cluster_;
    int fibre_;
};

// Runs body once for each thread of the grid, cluster after cluster. Shared memory holds rubbish at first. Throws
// std::logic_error for a grid no GPU takes, for lanes of a warp that meet in different operations, and for threads that
// wait for ever; what a body throws is passed on. `seed` is that of the shuffled order.
void emulate(const Grid& grid, ThreadOrder order, const std::function<void(EmulatedThread&)>& body,
             std::uint64_t seed = 1);

}  // namespace strata
