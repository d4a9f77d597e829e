// What of the prefetch runs on the host: which buffer is whose, and the gather.
#include <gtest/gtest.h>

#include <random>

#include "kernels/engram/double_buffer.hpp"
#include "kernels/engram/engram_gather_reference.hpp"
#include "kernels/engram/host_gather.hpp"

namespace strata {
namespace {

TEST(DoubleBuffer, fills_one_while_the_other_is_used) {
    DoubleBuffer order;
    EXPECT_EQ(order.fill(), 0);
    EXPECT_EQ(order.take(), 0);
    EXPECT_EQ(order.fill(), 1);
    EXPECT_THROW(order.fill(), std::logic_error);  // the first is still read
    EXPECT_EQ(order.release(), 0);
    EXPECT_EQ(order.fill(), 0);
    EXPECT_EQ(order.take(), 1);
    EXPECT_EQ(order.take(), 0);
}

TEST(DoubleBuffer, refuses_what_is_not_there) {
    DoubleBuffer order;
    EXPECT_THROW(order.take(), std::logic_error);
    order.fill();
    EXPECT_THROW(order.release(), std::logic_error);
    order.take();
    EXPECT_THROW(order.take(), std::logic_error);
}

TEST(HostGather, gives_the_rows_of_the_definition_with_any_number_of_threads) {
    std::mt19937_64 random(1);
    std::vector<std::uint8_t> table(300 * kEngramRowStride);
    for (std::uint8_t& byte : table) byte = std::uint8_t(random());
    for (const std::size_t rows : {std::size_t(0), std::size_t(1), std::size_t(5000)})
        for (const int threads : {0, 1, 3}) {
            std::vector<std::int32_t> ids(rows);
            for (std::int32_t& id : ids) id = std::int32_t(random() % 302) - 1;  // -1 and 300 are not there
            const auto should = reference::engram_gather(table, ids);
            std::vector<std::uint8_t> codes(rows * kEngramRowWidth, 0xEE), scales(rows * kEngramRowScales, 0xEE);
            gather_on_host({table.data(), 300}, ids, codes.data(), scales.data(), threads);
            EXPECT_EQ(codes, should.codes);
            EXPECT_EQ(scales, should.scales);
        }
}

}  // namespace
}  // namespace strata
