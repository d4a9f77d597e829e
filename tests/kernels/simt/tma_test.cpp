#include "kernels/simt/tma.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

using Thread = EmulatedThread;

std::string refusal_of(const TensorTiles& tiles) {
    try {
        make_tensor_map(tiles);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

std::string failure_of(const Grid& grid, const std::function<void(Thread&)>& body) {
    try {
        emulate(grid, ThreadOrder::forward, body);
    } catch (const std::logic_error& error) {
        return error.what();
    }
    return "";
}

TEST(TensorMap, refuses_what_the_hardware_does_not_take) {
    alignas(16) static unsigned char memory[4096];
    const TensorTiles good{.global = memory, .size = {256, 16, 1}, .stride_bytes = {256, 0}, .box = {128, 8, 1}};
    EXPECT_EQ(refusal_of(good), "");
    const auto with = [&](auto change) {
        TensorTiles tiles = good;
        change(tiles);
        return refusal_of(tiles);
    };
    EXPECT_NE(with([](TensorTiles& t) { t.global = memory + 8; }).find("multiple of 16"), std::string::npos);
    EXPECT_NE(with([](TensorTiles& t) { t.global = nullptr; }), "");
    EXPECT_NE(with([](TensorTiles& t) { t.size[1] = 0; }).find("size of dimension 1 is 0"), std::string::npos);
    EXPECT_NE(with([](TensorTiles& t) { t.stride_bytes[0] = 250; }).find("250 bytes"), std::string::npos);
    EXPECT_NE(with([](TensorTiles& t) { t.box[1] = 257; }).find("257; expected 1 to 256"), std::string::npos);
    EXPECT_NE(with([](TensorTiles& t) { t.box[0] = 64; }).find("swizzle needs 128"), std::string::npos);
    EXPECT_NE(with([](TensorTiles& t) { t.box[0] = 8, t.swizzle = Swizzle::none; }).find("8 bytes"), std::string::npos);
    EXPECT_NE(with([](TensorTiles& t) { t.rank = 4; }).find("rank 4"), std::string::npos);
    EXPECT_NE(with([](TensorTiles& t) { t.element_bytes = 3; }).find("3 bytes"), std::string::npos);
}

// A tensor of 5 rows of 80 shorts; boxes of 64 x 4 at (64, 3): 16 columns and 2 rows lie inside.
TEST(LoadBox, is_swizzled_and_zero_outside_of_the_tensor) {
    constexpr int kColumns = 80, kRows = 5;
    alignas(16) std::uint16_t tensor[kRows * kColumns];
    std::iota(std::begin(tensor), std::end(tensor), std::uint16_t(1));
    const TensorMap map = make_tensor_map({.global = tensor,
                                           .element_bytes = 2,
                                           .size = {kColumns, kRows, 1},
                                           .stride_bytes = {2 * kColumns, 0},
                                           .box = {64, 4, 1}});
    for (const ThreadOrder order : kThreadOrders)
        emulate({.threads = 64, .shared_bytes = 2048}, order, [&](Thread& t) {
            auto* full = reinterpret_cast<Thread::Barrier*>(t.shared() + 1024);
            if (t.thread() == 0) t.open_barrier(full, 1), t.publish_barriers();
            t.sync();
            if (t.thread() == 0) t.arrive_expecting(full, 512), load_box(t, t.shared(), map, full, 64, 3);
            t.wait(full, 0);
            for (int i = t.thread(); i < 4 * 64; i += t.threads()) {
                std::uint16_t value;
                std::memcpy(&value, t.shared() + swizzled_offset(i / 64, i % 64 * 2), 2);
                const int row = 3 + i / 64, column = 64 + i % 64;
                EXPECT_EQ(value, row < kRows && column < kColumns ? tensor[row * kColumns + column] : 0) << i;
            }
        });
}

// Planes of a 3-D tensor, and back to another: what lies outside is not written.
TEST(StoreBox, writes_the_inside_of_a_box_of_three_dimensions) {
    constexpr int kX = 32, kY = 3, kZ = 2;
    alignas(16) static float from[kZ * kY * kX], to[kZ * kY * kX + 16];
    std::iota(std::begin(from), std::end(from), 1.0f);
    const auto map_of = [](float* tensor) {
        return make_tensor_map({.global = tensor,
                                .element_bytes = 4,
                                .rank = 3,
                                .size = {kX, kY, kZ},
                                .stride_bytes = {4 * kX, 4 * kX * kY},
                                .box = {32, 2, 1}});
    };
    const TensorMap in = map_of(from), out = map_of(to);
    emulate({.threads = 32, .shared_bytes = 2048}, ThreadOrder::forward, [&](Thread& t) {
        auto* full = reinterpret_cast<Thread::Barrier*>(t.shared() + 1024);
        if (t.thread() != 0) return;
        t.open_barrier(full, 1);
        BulkStores stores;
        for (int turn = 0; turn < kZ * 2; ++turn) {
            t.arrive_expecting(full, 256);
            load_box(t, t.shared(), in, full, 0, turn % 2 * 2, turn / 2);
            t.wait(full, turn % 2);
            stores.store_box(t, out, t.shared(), 0, turn % 2 * 2, turn / 2);
            stores.close_group();
            stores.wait_until_read<0>();
        }
    });
    for (int i = 0; i < kZ * kY * kX; ++i) EXPECT_EQ(to[i], from[i]) << i;
    for (int i = kZ * kY * kX; i < kZ * kY * kX + 16; ++i) EXPECT_EQ(to[i], 0);
}

TEST(LoadRun, is_rubbish_until_it_was_waited_for) {
    alignas(16) static int from[4] = {1, 2, 3, 4};
    emulate({.threads = 32, .shared_bytes = 64}, ThreadOrder::forward, [&](Thread& t) {
        auto* full = reinterpret_cast<Thread::Barrier*>(t.shared() + 32);
        if (t.thread() != 0) return;
        t.open_barrier(full, 1);
        t.arrive_expecting(full, 16);
        load_run(t, t.shared(), from, 16, full);
        EXPECT_EQ(*reinterpret_cast<int*>(t.shared()), int(0xA5A5A5A5));
        t.wait(full, 0);
        EXPECT_EQ(reinterpret_cast<int*>(t.shared())[3], 4);
    });
}

TEST(LoadRun, must_be_aligned_awaited_and_within_shared_memory) {
    alignas(16) static int from[64];
    const auto load = [&](int at, int bytes, bool wait) {
        return failure_of({.threads = 32, .shared_bytes = 64}, [=](Thread& t) {
            auto* full = reinterpret_cast<Thread::Barrier*>(t.shared());
            if (t.thread() != 0) return;
            t.open_barrier(full, 1);
            t.arrive_expecting(full, bytes);
            load_run(t, t.shared() + at, from, bytes, full);
            if (wait) t.wait(full, 0);
        });
    };
    EXPECT_EQ(load(16, 32, true), "");
    EXPECT_NE(load(8, 32, true).find("multiples of 16"), std::string::npos);
    EXPECT_NE(load(16, 24, true).find("multiples of 16"), std::string::npos);
    EXPECT_NE(load(32, 48, true).find("shared memory that has 64"), std::string::npos);
    EXPECT_NE(load(16, 32, false).find("nobody has waited for"), std::string::npos);
}

// Two slots that turn: a warp that loads, four that read. Each slot is loaded again only once all have left it.
TEST(Barrier, hands_slots_between_a_loading_warp_and_the_reading_ones) {
    constexpr int kSlots = 2, kTurns = 7;
    alignas(16) static int from[kTurns][4];
    for (int turn = 0; turn < kTurns; ++turn) from[turn][0] = 100 + turn;
    for (const ThreadOrder order : kThreadOrders) {
        int read = 0;
        emulate({.threads = 160, .shared_bytes = 256}, order, [&](Thread& t) {
            auto* full = reinterpret_cast<Thread::Barrier*>(t.shared() + 128);
            auto* empty = full + kSlots;
            if (t.thread() == 0) {
                for (int slot = 0; slot < kSlots; ++slot)
                    t.open_barrier(full + slot, 1), t.open_barrier(empty + slot, 4);
                t.publish_barriers();
            }
            t.sync();
            const bool loads = t.warp() == 4;
            for (int turn = 0; turn < kTurns; ++turn) {
                const int slot = turn % kSlots, parity = turn / kSlots % 2;
                if (loads && t.elected()) {
                    t.wait(empty + slot, 1 - parity);
                    t.arrive_expecting(full + slot, 16);
                    load_run(t, t.shared() + 16 * slot, from[turn], 16, full + slot);
                }
                if (loads) continue;
                t.wait(full + slot, parity);
                EXPECT_EQ(*reinterpret_cast<int*>(t.shared() + 16 * slot), 100 + turn);
                t.sync_warp();
                if (t.lane() == 0) ++read, t.arrive(empty + slot);
            }
        });
        EXPECT_EQ(read, 4 * kTurns);
    }
}

TEST(Barrier, says_what_is_wrong_with_its_use) {
    const auto failure = [](const std::function<void(Thread&, Thread::Barrier*)>& use) {
        return failure_of({.threads = 32, .shared_bytes = 16}, [&](Thread& t) {
            if (t.thread() == 0) use(t, reinterpret_cast<Thread::Barrier*>(t.shared()));
        });
    };
    EXPECT_NE(failure([](Thread& t, auto* b) { t.arrive(b); }).find("nobody has opened"), std::string::npos);
    EXPECT_NE(failure([](Thread& t, auto* b) { t.open_barrier(b, 2), t.arrive(b), t.wait(b, 0); }).find("never come"),
              std::string::npos);
    EXPECT_NE(failure([](Thread& t, auto* b) {
                  t.open_barrier(b, 1), t.arrive_expecting(b, 16), t.arrive(b);
              }).find("more arrivals"),
              std::string::npos);
    EXPECT_EQ(failure([](Thread& t, auto* b) { t.open_barrier(b, 1), t.wait(b, 1), t.arrive(b), t.wait(b, 0); }), "");
}

// Two halves of a block meet apart from each other, and each sees what its own wrote.
TEST(SyncGroup, holds_the_threads_of_one_group_only) {
    for (const ThreadOrder order : kThreadOrders)
        emulate({.threads = 128, .shared_bytes = 1024}, order, [&](Thread& t) {
            int* numbers = reinterpret_cast<int*>(t.shared());
            const int half = t.thread() / 64, turns = half ? 3 : 5;
            for (int turn = 0; turn < turns; ++turn) {
                numbers[t.thread()] = turn * 1000 + t.thread();
                t.sync_group(1 + half, 64);
                const int other = half * 64 + (t.thread() + 33) % 64;
                EXPECT_EQ(numbers[other], turn * 1000 + other);
                t.sync_group(1 + half, 64);
            }
        });
    EXPECT_NE(failure_of({.threads = 64}, [](Thread& t) { t.sync_group(0, 64); }).find("1 to 15"), std::string::npos);
    EXPECT_NE(failure_of({.threads = 64}, [](Thread& t) { t.sync_group(1, t.warp() ? 32 : 64); }).find("is met by"),
              std::string::npos);
}

}  // namespace
}  // namespace strata
