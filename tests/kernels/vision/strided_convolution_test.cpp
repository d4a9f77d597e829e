#include "kernels/vision/strided_convolution_body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "kernels/simt/emulator.hpp"
#include "kernels/vision/strided_convolution_reference.hpp"

namespace strata {
namespace {

struct Convolution {
    Convolution(long images, long height, long width, long channels_in, long channels_out) {
        task = {.images = images,
                .height = height,
                .width = width,
                .channels_in = channels_in,
                .channels_out = channels_out};
        std::mt19937_64 random(61);
        std::normal_distribution<float> values;
        for (long i = 0; i < images * height * width * channels_in; ++i) in.push_back(to_bf16(values(random)));
        for (long i = 0; i < channels_out * 9 * channels_in; ++i) weights.push_back(to_bf16(values(random) / 16));
        out.assign(std::size_t(pixels_out(task) * channels_out), {0xFFFF});
        task.in = in.data(), task.weights = weights.data(), task.out = out.data();
        require_valid(task);
    }
    template <class Tile>
    void run(ThreadOrder order) {
        out.assign(out.size(), {0xFFFF});
        emulate(convolution_grid_of<Tile>(task), order, [&](EmulatedThread& t) { strided_convolution<Tile>(t, task); });
    }
    void expect_reference() const {
        const long down = (task.height + 1) / 2, across = (task.width + 1) / 2;
        std::vector<double> of_weights, of_image;
        for (const Bf16 x : weights) of_weights.push_back(to_float(x));
        for (long pixel = 0; pixel < pixels_out(task); ++pixel) {
            const long image = pixel / (down * across), size = task.height * task.width * task.channels_in;
            of_image.clear();
            for (long i = 0; i < size; ++i) of_image.push_back(to_float(in[std::size_t(image * size + i)]));
            const auto should =
                reference::strided_convolution(of_image, of_weights, task.height, task.width, task.channels_in,
                                               task.channels_out, pixel / across % down, pixel % across);
            for (std::size_t o = 0; o < should.size(); ++o)
                ASSERT_NEAR(to_float(out[std::size_t(pixel) * should.size() + o]), should[o],
                            1e-5 + std::abs(should[o]) / 256)
                    << pixel << " " << o;
        }
    }
    StridedConvolutionTask task;
    std::vector<Bf16> in, weights, out;
};

// 2 images of 5 x 9 make 2 x 3 x 5 = 30 rows of a tile's 64; 40 channels take a whole tile across and a part of one.
TEST(StridedConvolution, matches_the_reference_in_every_thread_order) {
    for (const ThreadOrder order : kThreadOrders) {
        Convolution convolution(2, 5, 9, order == ThreadOrder::shuffled ? 64 : 32, 40);
        convolution.run<ConvolutionTile<1, 1>>(order);
        convolution.expect_reference();
    }
}

TEST(StridedConvolution, a_tile_of_several_warps_matches_too) {
    Convolution convolution(1, 17, 16, 32, 72);  // 72 rows, 72 columns
    convolution.run<ConvolutionTile<2, 4>>(ThreadOrder::reversed);
    convolution.expect_reference();
}

// A single pixel under all taps: only the middle one meets it.
TEST(StridedConvolution, of_one_pixel_is_the_middle_tap) {
    Convolution convolution(1, 1, 1, 32, 8);
    convolution.run<ConvolutionTile<1, 1>>(ThreadOrder::forward);
    for (std::size_t o = 0; o < 8; ++o) {
        double should = 0;
        for (std::size_t c = 0; c < 32; ++c)
            should += double(to_float(convolution.in[c])) * double(to_float(convolution.weights[(o * 9 + 4) * 32 + c]));
        EXPECT_NEAR(to_float(convolution.out[o]), should, 1e-5 + std::abs(should) / 256);
    }
}

TEST(StridedConvolution, refuses_what_it_does_not_take) {
    EXPECT_NO_THROW(
        require_valid(StridedConvolutionTask{.height = 64, .width = 64, .channels_in = 256, .channels_out = 512}));
    EXPECT_THROW(require_valid(StridedConvolutionTask{.height = 4, .width = 4, .channels_in = 16, .channels_out = 8}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(StridedConvolutionTask{.height = 4, .width = 4, .channels_in = 32, .channels_out = 4}),
                 std::invalid_argument);
    EXPECT_THROW(require_valid(StridedConvolutionTask{
                     .images = 1, .height = 4, .width = 4, .channels_in = 32, .channels_out = 8}),
                 std::invalid_argument);
}

}  // namespace
}  // namespace strata
