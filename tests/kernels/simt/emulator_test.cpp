#include "kernels/simt/emulator.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "kernels/simt/warp.hpp"

namespace strata {
namespace {

TEST(Emulator, every_thread_of_every_block_runs_once) {
    for (const ThreadOrder order : kThreadOrders) {
        std::vector<int> runs(3 * 2 * 64);
        emulate({.blocks = 3, .rows = 2, .threads = 64}, order,
                [&](EmulatedThread& t) { ++runs[std::size_t((t.row() * t.blocks() + t.block()) * 64 + t.thread())]; });
        EXPECT_EQ(runs, std::vector<int>(3 * 2 * 64, 1));
    }
}

TEST(Emulator, lanes_exchange_and_sums_come_out) {
    for (const ThreadOrder order : kThreadOrders)
        emulate({.threads = 64}, order, [&](EmulatedThread& t) {
            EXPECT_EQ(warp_sum(t, t.lane()), 496);
            EXPECT_EQ(warp_max<16>(t, t.lane()), t.lane() < 16 ? 15 : 31);
            EXPECT_EQ(warp_exclusive_sum(t, 1), t.lane());
            EXPECT_EQ(t.shuffle(t.lane() * 2, 3), 6);
            EXPECT_EQ(t.ballot(t.lane() < 4), 0xFu);
            EXPECT_EQ(t.match_any(t.lane() < 4 ? 7 : 9), t.lane() < 4 ? 0xFu : ~0xFu);
            EXPECT_EQ(t.largest(t.lane() == 5 ? 0xFFFFFFFEu : 0x7FFFFFFFu), 0xFFFFFFFEu);
        });
}

TEST(Emulator, a_block_shares_memory_and_a_cluster_sees_it) {
    for (const ThreadOrder order : kThreadOrders)
        emulate({.blocks = 4, .threads = 96, .cluster = 2, .shared_bytes = 64}, order, [&](EmulatedThread& t) {
            int* shared = reinterpret_cast<int*>(t.shared());
            EXPECT_EQ(block_sum(t, 1, shared), 96);
            if (t.thread() == 0) *shared = 100 + t.block();
            t.sync_cluster();
            const int other = 1 - t.cluster_rank();
            EXPECT_EQ(*t.shared_of(other, shared), 100 + t.block() - t.cluster_rank() + other);
            t.sync_cluster();
        });
}

// Thread 0 writes, the others read without a barrier: right forward, wrong in reverse.
TEST(Emulator, another_order_shows_a_barrier_that_is_missing) {
    const auto wrong_reads = [](ThreadOrder order) {
        int wrong = 0;
        emulate({.threads = 32, .shared_bytes = 4}, order, [&](EmulatedThread& t) {
            int* shared = reinterpret_cast<int*>(t.shared());
            if (t.thread() == 0) *shared = 7;
            wrong += *shared != 7;
        });
        return wrong;
    };
    EXPECT_EQ(wrong_reads(ThreadOrder::forward), 0);
    EXPECT_EQ(wrong_reads(ThreadOrder::reversed), 31);
}

// Every thread reads what its neighbour warp wrote, meets its own warp, and writes anew. Without a barrier between, a
// warp that goes far ahead overwrites what the other has still to read.
TEST(Emulator, a_warp_goes_as_far_as_it_can) {
    const auto wrong_reads = [](ThreadOrder order, bool barrier) {
        int wrong = 0;
        emulate({.threads = 64, .shared_bytes = 256}, order, [&](EmulatedThread& t) {
            int* shared = reinterpret_cast<int*>(t.shared());
            shared[t.thread()] = 1;
            t.sync();
            wrong += warp_sum(t, shared[t.thread() ^ 32]) != 32;
            if (barrier) t.sync();
            shared[t.thread()] = 2;
        });
        return wrong;
    };
    for (const ThreadOrder order : kThreadOrders) EXPECT_EQ(wrong_reads(order, true), 0);
    EXPECT_GT(wrong_reads(ThreadOrder::forward, false), 0);
    EXPECT_GT(wrong_reads(ThreadOrder::reversed, false), 0);
}

// Block 1 reads the memory of block 0 without a barrier at the end, or writes there without one at the beginning: on a
// GPU block 0 may have gone, or not have come yet.
TEST(Emulator, shared_memory_of_a_block_that_has_ended_or_not_begun_is_rubbish) {
    const auto read_by_the_other = [](ThreadOrder order, bool wait_first) {
        int read = 0;
        emulate({.blocks = 2, .threads = 32, .cluster = 2, .shared_bytes = 8}, order, [&](EmulatedThread& t) {
            int* shared = reinterpret_cast<int*>(t.shared());
            if (wait_first) t.sync_cluster();
            if (t.cluster_rank() == 1 && t.thread() == 0) *t.shared_of(0, shared) = 7;
            t.sync_cluster();
            if (t.cluster_rank() == 0 && t.thread() == 31) read = *shared;
        });
        return read;
    };
    EXPECT_EQ(read_by_the_other(ThreadOrder::reversed, true), 7);
    EXPECT_EQ(read_by_the_other(ThreadOrder::forward, true), 7);
    EXPECT_NE(read_by_the_other(ThreadOrder::reversed, false), 7) << "block 0 had not begun";
    int seen = 0;
    emulate({.blocks = 2, .threads = 32, .cluster = 2, .shared_bytes = 8}, ThreadOrder::reversed,
            [&](EmulatedThread& t) {
                int* shared = reinterpret_cast<int*>(t.shared());
                *shared = 7;
                t.sync_cluster();
                if (t.cluster_rank() == 1) seen = *t.shared_of(0, shared);
            });
    EXPECT_NE(seen, 7) << "block 0 had ended";
}

// Each block sends the other a number in turns and clears what it has read. The second barrier is what keeps a number
// of the next turn from being cleared; without it only a block that runs ahead by a whole turn goes wrong.
TEST(Emulator, shuffled_lets_a_block_run_ahead) {
    const auto lost = [](ThreadOrder order, bool second_barrier) {
        int missing = 0;
        emulate({.blocks = 2, .threads = 32, .cluster = 2, .shared_bytes = 4}, order, [&](EmulatedThread& t) {
            int* box = reinterpret_cast<int*>(t.shared());
            if (t.thread() == 0) *box = 0;
            t.sync_cluster();
            for (int turn = 0; turn < 8; ++turn) {
                if (t.thread() == 0) t.atomic_add(t.shared_of(1 - t.cluster_rank(), box), 1);
                t.sync_cluster();
                t.sync();  // something between
                if (t.thread() == 0) missing += *box != 1, *box = 0;
                if (second_barrier) t.sync_cluster();
            }
            t.sync_cluster();
        });
        return missing;
    };
    for (const ThreadOrder order : kThreadOrders) EXPECT_EQ(lost(order, true), 0);
    EXPECT_GT(lost(ThreadOrder::shuffled, false), 0);
}

std::string refusal_of(const Grid& grid, const std::function<void(EmulatedThread&)>& body) {
    try {
        emulate(grid, ThreadOrder::forward, body);
    } catch (const std::logic_error& error) {
        return error.what();
    }
    return "";
}

TEST(Emulator, tells_who_waits_for_ever) {
    const std::string refusal = refusal_of({.threads = 64}, [](EmulatedThread& t) {
        if (t.thread() < 40) t.shuffle(1, 0);  // the second warp comes with eight lanes
    });
    EXPECT_NE(refusal.find("thread 32 of block 0 in shuffle, thread 33"), std::string::npos) << refusal;
    EXPECT_NE(refusal.find("56 of 64 have ended"), std::string::npos) << refusal;
}

TEST(Emulator, sees_lanes_that_meet_in_different_operations) {
    EXPECT_NE(refusal_of({},
                         [](EmulatedThread& t) {
                             if (t.lane() == 31)
                                 t.ballot(true);
                             else
                                 t.shuffle(1, 0);
                         })
                  .find("lane 31 of warp 0 comes to ballot while others of its warp wait in shuffle"),
              std::string::npos);
}

TEST(Emulator, threads_that_have_ended_are_not_waited_for) {
    emulate({.threads = 64}, ThreadOrder::forward, [](EmulatedThread& t) {
        if (t.warp() == 0) t.sync();
    });
}

TEST(Emulator, refuses_a_grid_no_gpu_takes) {
    const auto nothing = [](EmulatedThread&) {};
    EXPECT_NE(refusal_of({.threads = 33}, nothing), "");
    EXPECT_NE(refusal_of({.blocks = 3, .cluster = 2}, nothing), "");
    EXPECT_NE(refusal_of({.shared_bytes = 300000}, nothing), "");
}

TEST(Emulator, passes_on_what_a_body_throws) {
    EXPECT_THROW(emulate({}, ThreadOrder::forward, [](EmulatedThread&) { throw std::out_of_range("x"); }),
                 std::out_of_range);
}

}  // namespace
}  // namespace strata
