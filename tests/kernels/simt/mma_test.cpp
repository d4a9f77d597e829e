#include "kernels/simt/mma.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/simt/copy_async.hpp"
#include "kernels/simt/emulator.hpp"

namespace strata {
namespace {

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
    EXPECT_EQ(to[0], 0);
    copies.wait_for_all_but<1>();
    EXPECT_EQ(to[3], 4);
    EXPECT_EQ(to[4], 0);
    copies.wait_for_all_but<0>();
    EXPECT_EQ(to[7], 8);
}

// Block 0's threads arrive and go on; what they wrote before is there for those that have waited, whatever they do
// between arriving and waiting.
TEST(Emulator, a_cluster_may_arrive_and_wait_apart) {
    for (const ThreadOrder order : kThreadOrders)
        emulate({.blocks = 2, .threads = 64, .cluster = 2, .shared_bytes = 4}, order, [&](EmulatedThread& t) {
            int* shared = reinterpret_cast<int*>(t.shared());
            for (int turn = 0; turn < 3; ++turn) {
                if (t.thread() == 63) *t.shared_of(1 - t.cluster_rank(), shared) = 10 * turn + t.cluster_rank();
                t.arrive_cluster();
                t.sync();
                t.wait_cluster();
                EXPECT_EQ(*shared, 10 * turn + 1 - t.cluster_rank());
                t.sync_cluster();
            }
        });
}

}  // namespace
}  // namespace strata
