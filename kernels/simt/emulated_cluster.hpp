// The inside of the emulator: the blocks of one cluster with their fibres, the unit that runs at once. Only the
// emulator's own sources include this.
#pragma once

#include <sys/mman.h>
#include <ucontext.h>

#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "kernels/simt/emulator.hpp"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace strata {

class EmulatedCluster {
public:
    enum class Waiting { nothing, warp, group, block, cluster, mail, over };

    class Stack {
    public:
        static constexpr std::size_t kBytes = 128 * 1024;  // pages are taken when touched
        Stack()
            : base_(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
            if (base_ == MAP_FAILED) throw std::bad_alloc();
        }
        ~Stack() { munmap(base_, kBytes); }
        Stack(const Stack&) = delete;
        Stack& operator=(const Stack&) = delete;
        void* base() const { return base_; }

    private:
        void* base_;
    };

    EmulatedCluster(const Grid& grid, ThreadOrder order, const std::function<void(EmulatedThread&)>& body,
                    std::uint64_t seed)
        : grid_(grid), order_(order), body_(body), random_(seed), fibres_(std::size_t(grid.cluster) * grid.threads) {
        for (Fibre& fibre : fibres_) fibre.stack = std::make_unique<Stack>();
    }

    void run(int first_block, int row);
    int fibre_that_runs() const { return running_; }
    static thread_local EmulatedCluster* current;  // whose fibres run

    const Grid& grid() const { return grid_; }
    int first_block() const { return first_block_; }
    int row() const { return row_; }
    int rank_of(int fibre) const { return fibre / grid_.threads; }
    unsigned char* shared(int rank) { return shared_[std::size_t(rank)].front().bytes; }

    void wait_at(int fibre, Waiting barrier);
    void wait_for_group(int fibre, int barrier, int threads);
    std::uint64_t exchange(int fibre, std::uint64_t value, int from_lane, const char* operation);
    unsigned ballot(int fibre, bool predicate);
    unsigned match_any(int fibre, unsigned value);
    unsigned largest(int fibre, unsigned value);
    const std::uint64_t* lay_down(int fibre, std::uint64_t value, const char* operation);
    void deliver(EmulatedMailbox& box);
    void wait_for_mail(int fibre, const EmulatedMailbox& box, int parity);
    void arrive(EmulatedBarrier& at, int bytes_expected);
    void wait(int fibre, EmulatedBarrier& at, int parity);
    void copy_later(EmulatedBarrier& at, int bytes, std::function<void()> copy);

private:
    struct Fibre {
        ucontext_t context{};
        std::unique_ptr<Stack> stack;
        Waiting waiting = Waiting::nothing;
        const char* operation = "";
        const void* mailbox = nullptr;  // or barrier that it waits for
        int group = 0;                  // the named barrier that it waits at
        int meetings = 0;               // of its warp, so far
#ifdef __SANITIZE_ADDRESS__
        void* fake_stack = nullptr;
#endif
    };

    // Where the lanes of a warp lay down what they exchange. Two tables take turns: a lane that hurries ahead to the
    // next meeting must not overwrite what another has still to read in this one.
    struct WarpTable {
        std::uint64_t values[2][32]{};
        int arrived = 0;
        const char* operation = "";
    };

    struct Barrier {
        int arrived = 0;
        int over = 0;  // threads that have ended are not waited for
        bool begun = false;
    };

    // A barrier of a group of a block's threads, known by its number.
    struct GroupBarrier {
        int arrived = 0;
        int threads = 0;
    };

    // An asynchronous copy on its way: it arrives as late as it may.
    struct Copy {
        EmulatedBarrier* at;
        int bytes;
        std::function<void()> copy;
    };

    // Swizzled tiles must lie at multiples of 1024 bytes, so shared memory begins at one.
    struct alignas(1024) Kibibyte {
        unsigned char bytes[1024];
    };

    static void enter(unsigned high, unsigned low);
    void leave();  // the fibre that runs hands over to run()
    void switch_to(int fibre);
    // A block's shared memory is rubbish before it begins and after it has ended: others of its cluster must not use it
    // then, so what they write is lost and what they read is wrong.
    void spoil(int rank) {
        std::vector<Kibibyte>& block = shared_[std::size_t(rank)];
        std::memset(static_cast<void*>(block.data()), 0xA5, block.size() * sizeof(Kibibyte));
    }
    bool run_some(int first, int count);
    bool advance_shuffled();
    bool advance_far();
    void hold_some();
    void release(Waiting barrier, int first, int count);
    void meet(int fibre, std::uint64_t value, const char* operation);
    // What the 32 lanes laid down at the fibre's last meeting.
    const auto& values_of(int fibre) const {
        return warps_[std::size_t(fibre) / 32].values[(fibres_[std::size_t(fibre)].meetings - 1) % 2];
    }
    bool awaited(const EmulatedBarrier& at) const;
    void bring_copies(EmulatedBarrier& at);
    void end_phase_if_complete(EmulatedBarrier& at);
    [[noreturn]] void report_deadlock() const;

    const Grid grid_;
    const ThreadOrder order_;
    const std::function<void(EmulatedThread&)>& body_;
    std::mt19937_64 random_;
    std::vector<Fibre> fibres_;
    std::vector<int> order_of_fibres_;
    std::vector<WarpTable> warps_;
    std::vector<bool> held_;  // warps that rest for a while
    std::vector<Barrier> blocks_;
    std::vector<GroupBarrier> groups_;  // sixteen a block
    std::vector<Copy> copies_;
    Barrier whole_;
    std::vector<std::vector<Kibibyte>> shared_;
    ucontext_t scheduler_{};
    int first_block_ = 0, row_ = 0, running_ = 0;
    std::exception_ptr thrown_;
#ifdef __SANITIZE_ADDRESS__
    void* scheduler_fake_ = nullptr;
    const void* scheduler_stack_ = nullptr;
    std::size_t scheduler_stack_bytes_ = 0;
#endif
};

}  // namespace strata
