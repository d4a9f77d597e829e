#include "kernels/vision/pixel_unshuffle_body.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "kernels/simt/emulator.hpp"
#include "kernels/vision/pixel_unshuffle_reference.hpp"

namespace strata {
namespace {

// Every element is its own index plus one: 0 is only padding.
std::vector<Bf16> emulated(PixelUnshuffleTask task, ThreadOrder order) {
    std::vector<Bf16> tokens(std::size_t(task.images * task.height * task.width * task.channels));
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = {std::uint16_t(i + 1)};
    std::vector<Bf16> out(std::size_t(unshuffled_tokens(task) * task.factor * task.factor * task.channels), {0xFFFF});
    task.tokens = tokens.data(), task.out = out.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { pixel_unshuffle(t, task); });
    return out;
}

TEST(PixelUnshuffle, is_the_references_permutation_bit_for_bit_in_every_thread_order) {
    for (const UnshuffleOrder layout : {UnshuffleOrder::channel_first, UnshuffleOrder::neighbour_first})
        for (const PixelUnshuffleTask task : {PixelUnshuffleTask{.images = 2, .height = 6, .width = 9, .channels = 40},
                                              {.images = 1, .height = 4, .width = 7, .channels = 296},
                                              {.images = 1, .height = 4, .width = 2, .channels = 8, .factor = 2},
                                              {.images = 1, .height = 1, .width = 1, .channels = 8}})
            for (const ThreadOrder order : kThreadOrders) {
                PixelUnshuffleTask with = task;
                with.order = layout;
                const auto is = emulated(with, order);
                std::set<std::uint16_t> seen;
                for (std::size_t i = 0; i < is.size(); ++i) {
                    const long source = reference::unshuffle_source(with, long(i));
                    ASSERT_EQ(is[i].bits, std::uint16_t(source + 1));
                    if (source >= 0) seen.insert(is[i].bits);
                }
                EXPECT_EQ(long(seen.size()), with.images * with.height * with.width * with.channels);  // none is lost
            }
}

// One channel of interest: token (y, x) of a 3 x 3 grid carries 10 y + x in channel 1 of 8.
TEST(PixelUnshuffle, by_hand) {
    std::vector<Bf16> tokens(9 * 8, Bf16{0}), out(9 * 8);
    for (int token = 0; token < 9; ++token)
        tokens[std::size_t(token * 8 + 1)] = {std::uint16_t(token / 3 * 10 + token % 3)};
    PixelUnshuffleTask task{
        .tokens = tokens.data(), .out = out.data(), .images = 1, .height = 3, .width = 3, .channels = 8};
    emulate(grid_of(task), ThreadOrder::forward, [&](EmulatedThread& t) { pixel_unshuffle(t, task); });
    const std::uint16_t should[9] = {0, 1, 2, 10, 11, 12, 20, 21, 22};
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(out[9 + i].bits, should[i]);  // torch: channel 1's nine in a row
    task.order = UnshuffleOrder::neighbour_first;
    emulate(grid_of(task), ThreadOrder::forward, [&](EmulatedThread& t) { pixel_unshuffle(t, task); });
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(out[i * 8 + 1].bits, should[i]);
}

TEST(PixelUnshuffle, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(require_valid(PixelUnshuffleTask{.height = 3, .width = 3, .channels = 8}));
    EXPECT_THROW(require_valid(PixelUnshuffleTask{.height = 3, .width = 3, .channels = 12}), std::invalid_argument);
    EXPECT_THROW(require_valid(PixelUnshuffleTask{.height = 3, .width = 3, .channels = 8, .factor = 0}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(PixelUnshuffleTask{.height = 3, .width = 3, .channels = 65536}), std::invalid_argument);
    EXPECT_THROW(require_valid(PixelUnshuffleTask{.images = 1, .height = 3, .width = 3, .channels = 8}),
                 std::invalid_argument);
}

}  // namespace
}  // namespace strata
