#include "kernels/vision/patchify_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/simt/emulator.hpp"
#include "kernels/vision/patchify_reference.hpp"

namespace strata {
namespace {

template <class T>
std::vector<Bf16> emulated(const std::vector<T>& pixels, long images, long height, long width, ThreadOrder order) {
    PatchifyTask<T> task{.images = images,
                         .height = height,
                         .width = width,
                         .mean = {0.48f, 0.45f, 0.4f},
                         .deviation = {0.27f, 0.26f, 0.28f}};
    std::vector<Bf16> patches(std::size_t(patches_of(task) * 768), Bf16{0xFFFF});
    task.pixels = pixels.data(), task.patches = patches.data();
    require_valid(task);
    emulate(grid_of(task), order, [&](EmulatedThread& t) { patchify(t, task); });
    return patches;
}

template <class T>
class Patchify : public testing::Test {};
using PixelTypes = testing::Types<std::uint8_t, Bf16>;
TYPED_TEST_SUITE(Patchify, PixelTypes);

// Widths of whole patches, one of more than a block's 256 pixels, and odd sizes.
TYPED_TEST(Patchify, matches_the_reference_in_every_thread_order) {
    std::mt19937_64 random(41);
    for (const auto& [height, width] : {std::pair{16L, 16L}, {35L, 288L}, {33L, 47L}, {1L, 1L}}) {
        std::vector<TypeParam> pixels;
        std::vector<double> values;
        for (long i = 0; i < 2 * 3 * height * width; ++i) {
            const auto byte = std::uint8_t(random());
            if constexpr (sizeof(TypeParam) == 1)
                pixels.push_back(byte), values.push_back(byte / 255.0);
            else
                pixels.push_back(to_bf16(float(byte) / 255)), values.push_back(to_float(pixels.back()));
        }
        for (const ThreadOrder order : kThreadOrders) {
            const auto is = emulated(pixels, 2, height, width, order);
            std::vector<double> should;
            const auto half = values.begin() + 3 * height * width;
            for (const auto& image : {std::vector<double>(values.begin(), half), {half, values.end()}}) {
                const auto one = reference::patchify(image, height, width, {0.48f, 0.45f, 0.4f}, {0.27f, 0.26f, 0.28f});
                should.insert(should.end(), one.begin(), one.end());
            }
            ASSERT_EQ(is.size(), should.size());
            for (std::size_t i = 0; i < is.size(); ++i)
                ASSERT_NEAR(to_float(is[i]), should[i], 1e-6 + std::abs(should[i]) / 256) << i;
        }
    }
}

// The pixel at row 17, column 18 of the blue plane of a 32 x 32 image: patch 3, channel 2, row 1, column 2.
TEST(PatchifyByHand, one_pixel_finds_its_place) {
    std::vector<std::uint8_t> pixels(3 * 32 * 32, 0);
    pixels[2 * 1024 + 17 * 32 + 18] = 255;
    const auto is = emulated(pixels, 1, 32, 32, ThreadOrder::forward);
    EXPECT_NEAR(to_float(is[3 * 768 + 2 * 256 + 16 + 2]), (1 - 0.4) / 0.28, 0.01);
    EXPECT_NEAR(to_float(is[3 * 768 + 2 * 256 + 16 + 3]), -0.4 / 0.28, 0.01);
}

TEST(PatchifyByHand, refuses_what_it_does_not_take) {
    EXPECT_THROW(require_valid(PatchifyTask<Bf16>{.images = 1, .height = 16, .width = 16}), std::invalid_argument);
    EXPECT_THROW(require_valid(PatchifyTask<Bf16>{.images = 1, .height = 0, .width = 16}), std::invalid_argument);
    EXPECT_THROW(require_valid(PatchifyTask<Bf16>{.height = 16, .width = 16, .deviation = {1, 0, 1}}),
                 std::invalid_argument);
    EXPECT_NO_THROW(require_valid(PatchifyTask<Bf16>{.height = 16, .width = 16}));
}

}  // namespace
}  // namespace strata
