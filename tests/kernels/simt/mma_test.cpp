#include "kernels/simt/mma.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

std::string refusal_of(const std::function<void(EmulatedThread&)>& body) {
    try {
        emulate({.threads = 32, .shared_bytes = 16}, ThreadOrder::forward, body);
    } catch (const std::logic_error& error) {
        return error.what();
    }
    return "";
}

// Whole numbers, so that every order of summing gives the same: a[i][k] = i - k, b[k][j] = 2 k + j + 1.
TEST(Mma, is_the_product_of_two_matrices_on_top_of_what_was_there) {
    const auto a = [](int i, int k) { return float(i - k); };
    const auto b = [](int k, int j) { return float(2 * k + j + 1); };
    for (const ThreadOrder order : kThreadOrders) {
        std::vector<float> product(16 * 8);
        emulate({.threads = 32}, order, [&](EmulatedThread& t) {
            const int g = t.lane() / 4, c = t.lane() % 4;
            MmaA left{};
            MmaB right{};
            for (int i = 0; i < 4; ++i) {
                const int row = g + i % 2 * 8, column = 2 * c + i / 2 * 8;
                left.at[i] = bf16_pair(a(row, column), a(row, column + 1));
            }
            for (int i = 0; i < 2; ++i) right.at[i] = bf16_pair(b(2 * c + i * 8, g), b(2 * c + i * 8 + 1, g));
            MmaSum sum{{1, 1, 1, 1}};
            mma_bf16_m16n8k16(t, sum, left, right);
            for (int i = 0; i < 4; ++i) product[std::size_t((g + i / 2 * 8) * 8 + 2 * c + i % 2)] = sum.at[i];
        });
        for (int i = 0; i < 16; ++i)
            for (int j = 0; j < 8; ++j) {
                float should = 1;
                for (int k = 0; k < 16; ++k) should += a(i, k) * b(k, j);
                EXPECT_EQ(product[std::size_t(i * 8 + j)], should) << i << " " << j;
            }
    }
}

TEST(AsyncCopies, are_there_once_they_were_waited_for_and_not_before) {
    alignas(16) const int from[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    alignas(16) int to[8] = {};
    AsyncCopies copies;
    copies.copy16(to, from);
    copies.close_group();
    copies.copy16(to + 4, from + 4);
    copies.close_group();
    EXPECT_EQ(to[0], int(0xA5A5A5A5));  // what was there is gone already
    copies.wait_for_all_but<1>();
    EXPECT_EQ(to[3], 4);
    EXPECT_EQ(to[4], int(0xA5A5A5A5));
    copies.wait_for_all_but<0>();
    EXPECT_EQ(to[7], 8);
}

// Sixteen bytes of each of 32 lanes; a barrier of their 32 arrivals is all that the reader knows of them.
TEST(AsyncCopies, arrive_at_a_barrier_for_those_who_did_not_start_them) {
    alignas(16) int from[128];
    for (int i = 0; i < 128; ++i) from[i] = i;
    for (const ThreadOrder order : kThreadOrders)
        emulate({.threads = 64, .shared_bytes = 528}, order, [&](EmulatedThread& t) {
            int* to = reinterpret_cast<int*>(t.shared());
            auto* there = reinterpret_cast<EmulatedThread::Barrier*>(t.shared() + 512);
            if (t.thread() == 0) t.open_barrier(there, 32);
            t.sync();
            if (t.warp() == 0) {
                AsyncCopies copies;
                copies.copy16(to + t.lane() * 4, from + t.lane() * 4);
                copies.arrive_when_there(t, there);
            } else {
                t.wait(there, 0);
                EXPECT_EQ(to[t.lane() * 4 + 3], t.lane() * 4 + 3);
            }
        });
}

// Each block sends the other a number a turn, and reads what came once the four bytes are there. The mailbox is ready
// for the next turn before the other can know that this one is over.
TEST(Emulator, mail_is_there_once_it_was_waited_for) {
    for (const ThreadOrder order : kThreadOrders)
        emulate({.blocks = 2, .threads = 64, .cluster = 2, .shared_bytes = 16}, order, [&](EmulatedThread& t) {
            auto* box = reinterpret_cast<EmulatedMailbox*>(t.shared());
            int* number = reinterpret_cast<int*>(t.shared() + 8);
            if (t.thread() == 0) t.open_mailbox(box), t.expect_mail(box, 4);
            t.sync_cluster();
            for (int turn = 0; turn < 5; ++turn) {
                if (t.thread() == 63) t.send(1 - t.cluster_rank(), number, 10 * turn + t.cluster_rank(), box);
                t.wait_for_mail(box, turn % 2);
                EXPECT_EQ(*number, 10 * turn + 1 - t.cluster_rank());
                if (t.thread() == 0) t.expect_mail(box, 4);
                t.sync_cluster();
            }
        });
}

TEST(Emulator, tells_who_waits_for_mail_that_never_comes) {
    EXPECT_NE(refusal_of([](EmulatedThread& t) {
                  auto* box = reinterpret_cast<EmulatedMailbox*>(t.shared());
                  if (t.thread() == 0) t.open_mailbox(box), t.expect_mail(box, 4);
                  t.sync();
                  t.wait_for_mail(box, 0);
              }).find("in wait_for_mail"),
              std::string::npos);
}

}  // namespace
}  // namespace strata
