#include "kernels/vision/page_resize_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/simt/emulator.hpp"
#include "kernels/vision/page_resize_reference.hpp"

namespace strata {
namespace {

std::vector<std::uint8_t> emulated(const std::vector<std::uint8_t>& in, long images, long height, long width,
                                   const PagePlacement& placed, ThreadOrder order) {
    std::vector<std::uint8_t> out(std::size_t(images * 3 * placed.side * placed.side), 77);
    const PageResizeTask task{.in = in.data(),
                              .out = out.data(),
                              .images = images,
                              .height = height,
                              .width = width,
                              .placed = placed,
                              .filling = {10, 20, 30}};
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { page_resize(t, task); });
    return out;
}

TEST(PageResize, matches_the_reference_in_every_thread_order) {
    std::mt19937_64 random(51);
    for (const auto& [height, width, placed] : {std::tuple{40L, 56L, PagePlacement{16, 0, 0, 16, 16}},
                                                {33L, 21L, PagePlacement{20, 0, 3, 20, 13}},
                                                {7L, 5L, PagePlacement{12, 1, 2, 10, 7}},  // upscaled
                                                {1L, 90L, PagePlacement{8, 3, 0, 1, 8}}}) {
        std::vector<std::uint8_t> in(std::size_t(2 * 3 * height * width));
        for (std::uint8_t& one : in) one = std::uint8_t(random());
        for (const ThreadOrder order : kThreadOrders) {
            const auto is = emulated(in, 2, height, width, placed, order);
            for (long plane = 0; plane < 6; ++plane) {
                const auto first = in.begin() + plane * height * width;
                const auto should = reference::page_resize({first, first + height * width}, height, width, placed,
                                                           int(plane % 3 + 1) * 10);
                for (std::size_t i = 0; i < should.size(); ++i)
                    ASSERT_EQ(is[std::size_t(plane * placed.side * placed.side) + i], should[i]) << height << " " << i;
            }
        }
    }
}

// 6 x 6 to 4 x 4: an output pixel covers one and a half of the input. The first row 0 60 90 ... gives (0 + 30) / 1.5 =
// 20 in every row alike, then (30 + 90) / 1.5 = 80.
TEST(PageResize, by_hand) {
    std::vector<std::uint8_t> in;
    for (int row = 0; row < 18; ++row)
        for (const int x : {0, 60, 90, 120, 150, 3}) in.push_back(std::uint8_t(x));
    const auto is = emulated(in, 1, 6, 6, {4, 0, 0, 4, 4}, ThreadOrder::forward);
    EXPECT_EQ(is[0], 20);
    EXPECT_EQ(is[1], 80);
    EXPECT_EQ(is[2], 130);  // (120 + 75) / 1.5
    EXPECT_EQ(is[3], 52);   // (75 + 3) / 1.5
    EXPECT_EQ(is[47], 52);
}

// 5 x 5 to 4 x 4 with pixels of 0 and 8: weights are quarters, and many averages end in a half.
TEST(PageResize, halves_go_up) {
    std::mt19937_64 random(52);
    for (const long size : {5L, 8L, 10L, 32L}) {
        std::vector<std::uint8_t> in(std::size_t(3 * size * size));
        for (std::uint8_t& one : in) one = std::uint8_t(random() % 2 * 8);
        const auto is = emulated(in, 1, size, size, {4, 0, 0, 4, 4}, ThreadOrder::forward);
        const auto should =
            reference::page_resize({in.begin(), in.begin() + size * size}, size, size, {4, 0, 0, 4, 4}, 0);
        for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(is[i], should[i]);
    }
}

TEST(PageResize, of_a_page_of_one_colour_is_that_colour) {
    const std::vector<std::uint8_t> in(3 * 137 * 91, 201);
    for (const std::uint8_t one : emulated(in, 1, 137, 91, {64, 0, 0, 64, 64}, ThreadOrder::reversed))
        ASSERT_EQ(one, 201);
}

TEST(PageResize, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(PageResizeTask{.height = 9, .width = 9, .placed = {8, 0, 0, 8, 8}}));
    EXPECT_THROW(require_valid(PageResizeTask{.height = 9, .width = 9, .placed = {8, 1, 0, 8, 8}}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(PageResizeTask{.height = 9, .width = 9, .placed = {10, 0, 0, 8, 8}}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(PageResizeTask{.height = 0, .width = 9, .placed = {8, 0, 0, 8, 8}}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(PageResizeTask{.images = 1, .height = 9, .width = 9, .placed = {8, 0, 0, 8, 8}}),
                 std::invalid_argument);
}

}  // namespace
}  // namespace strata
