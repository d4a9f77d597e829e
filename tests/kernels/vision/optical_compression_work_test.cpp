#include "kernels/vision/optical_compression.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

// 64 x 64 x 256 to 32 x 32 x 512: 2 * 1024 * 512 * 9 * 256 operations; a side of 63 gives 32 too.
TEST(OpticalCompressionWork, of_the_compressor) {
    const StridedConvolution even{.height = 64, .width = 64, .channels_in = 256, .channels_out = 512};
    EXPECT_DOUBLE_EQ(even.work().flops.si(), 2.0 * 1024 * 512 * 9 * 256);
    EXPECT_DOUBLE_EQ(even.work().read.si(), 2.0 * (64 * 64 * 256 + 512 * 9 * 256));
    EXPECT_DOUBLE_EQ(even.work().written.si(), 2.0 * 1024 * 512);
    const StridedConvolution odd{.height = 63, .width = 63, .channels_in = 256, .channels_out = 512};
    EXPECT_DOUBLE_EQ(odd.work().flops.si(), even.work().flops.si());
}

TEST(OpticalCompressionWork, of_passes_over_pixels_and_tokens) {
    EXPECT_DOUBLE_EQ((Patchify{.height = 16, .width = 16}.work().read.si()), 768);
    EXPECT_DOUBLE_EQ((Patchify{.height = 16, .width = 16}.work().written.si()), 1536);
    EXPECT_DOUBLE_EQ((PixelUnshuffle{.height = 3, .width = 3, .channels = 8}.work().bytes().si()), 2 * 9 * 8 * 2);
    EXPECT_DOUBLE_EQ((PageResize{.height = 4, .width = 4, .out_height = 2, .out_width = 2}.work().bytes().si()),
                     3 * (16 + 4));
}

}  // namespace
}  // namespace strata
