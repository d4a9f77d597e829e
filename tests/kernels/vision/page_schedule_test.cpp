#include "kernels/vision/page_schedule.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

// DeepSeek-OCR, arXiv 2510.18234, table 1.
TEST(PageSchedule, counts_the_papers_tokens) {
    EXPECT_EQ(tokens_of(PageMode::tiny), 64);
    EXPECT_EQ(tokens_of(PageMode::small), 100);
    EXPECT_EQ(tokens_of(PageMode::base), 256);
    EXPECT_EQ(tokens_of(PageMode::large), 400);
    EXPECT_EQ(tokens_of(PageMode::gundam, 2), 456);
    EXPECT_EQ(tokens_of(PageMode::gundam, 9), 1156);
    EXPECT_THROW(tokens_of(PageMode::gundam, 1), std::invalid_argument);
    EXPECT_THROW(tokens_of(PageMode::gundam, 10), std::invalid_argument);
}

// A page of 3 : 4 fills three quarters of its square: 256 * 3/4 = 192 and 400 * 3/4 = 300.
TEST(PageSchedule, counts_the_tokens_that_show_the_page) {
    EXPECT_EQ(valid_tokens(PageMode::base, {1200, 900}), 192);
    EXPECT_EQ(valid_tokens(PageMode::large, {900, 1200}), 300);
    EXPECT_EQ(valid_tokens(PageMode::base, {777, 777}), 256);
    EXPECT_EQ(valid_tokens(PageMode::base, {1000, 999}), 256);  // 255.744 rounded up
    EXPECT_EQ(valid_tokens(PageMode::base, {1000, 1}), 1);
    EXPECT_EQ(valid_tokens(PageMode::small, {1200, 900}), 100);  // stretched: all show it
    EXPECT_THROW(valid_tokens(PageMode::base, {0, 3}), std::invalid_argument);
}

TEST(PageSchedule, places_a_page_in_the_middle_of_its_square) {
    const PagePlacement upright = placement(PageMode::base, {2000, 1000});
    EXPECT_EQ(upright.height, 1024);
    EXPECT_EQ(upright.width, 512);
    EXPECT_EQ(upright.left, 256);
    EXPECT_EQ(upright.top, 0);
    const PagePlacement stretched = placement(PageMode::tiny, {2000, 1000});
    EXPECT_EQ(stretched.height, 512);
    EXPECT_EQ(stretched.width, 512);
    EXPECT_EQ(placement(PageMode::base, {1, 5000}).height, 1);
}

TEST(PageSchedule, older_turns_become_smaller_down_to_the_smallest) {
    for (const PageMode newest : {PageMode::gundam, PageMode::large}) {
        EXPECT_EQ(mode_at(0, newest), newest);
        EXPECT_EQ(mode_at(1, newest), PageMode::base);
        EXPECT_EQ(mode_at(2, newest), PageMode::small);
        EXPECT_EQ(mode_at(3, newest), PageMode::tiny);
        EXPECT_EQ(mode_at(1L << 40, newest), PageMode::tiny);
    }
    EXPECT_EQ(mode_at(5, PageMode::large, 3), PageMode::base);
    EXPECT_EQ(mode_at(1, PageMode::tiny), PageMode::tiny);
    EXPECT_THROW(mode_at(-1), std::invalid_argument);
    // Two pages a turn: 2 * (400 + 256 + 100 + 64 + 64).
    EXPECT_EQ(tokens_of_history(5, 2), 1768);
    EXPECT_EQ(tokens_of_history(0, 2), 0);
}

}  // namespace
}  // namespace strata
