// The two convolutions of DeepSeek-OCR's 16x compressor, for one page and for a batch.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/bench/library_plan.hpp"
#include "kernels/vision/kernels.hpp"
#include "kernels/vision/optical_compression.hpp"
#include "kernels/vision/strided_convolution_launch.hpp"
#include "kernels/vision/strided_convolution_reference.hpp"

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, std::uint64_t seed)
        : in(random_normal<Bf16>(std::size_t(shape["images"] * shape["height"] * shape["width"] * shape["channels_in"]),
                                 seed)),
          weights(random_normal<Bf16>(std::size_t(shape["channels_out"] * 9 * shape["channels_in"]), seed + 1, 0.02f)),
          out(std::size_t(shape["images"] * ceil_div(shape["height"], 2) * ceil_div(shape["width"], 2) *
                          shape["channels_out"])) {
        task = {.in = in.data(),
                .weights = weights.data(),
                .out = out.data(),
                .images = shape["images"],
                .height = shape["height"],
                .width = shape["width"],
                .channels_in = shape["channels_in"],
                .channels_out = shape["channels_out"]};
    }
    Buffer<Bf16> in, weights, out;
    StridedConvolutionTask task;
};

// Some pixels, all channels of each; FP32 sums of up to 4608 terms of either sign, then BF16.
Verdict verify(const Operands& operands) {
    const StridedConvolutionTask& task = operands.task;
    const long down = (task.height + 1) / 2, across = (task.width + 1) / 2;
    const auto of_image = std::size_t(task.height * task.width * task.channels_in);
    const auto weights = in_double(operands.weights.read());
    std::vector<double> is, should;
    for (const std::int64_t pixel : rows_to_compare(pixels_out(task), 24, 1)) {
        const auto image = in_double(operands.in.read(std::size_t(pixel / (down * across)) * of_image, of_image));
        const auto expected = reference::strided_convolution(image, weights, task.height, task.width, task.channels_in,
                                                             task.channels_out, pixel / across % down, pixel % across);
        const auto mine =
            in_double(operands.out.read(std::size_t(pixel * task.channels_out), std::size_t(task.channels_out)));
        is.insert(is.end(), mine.begin(), mine.end());
        should.insert(should.end(), expected.begin(), expected.end());
    }
    return all_of({alike(is, should, 1e-5), close_to(is, should, 1e-4, 0.01)});
}

Work work_of(const Shape& shape) {
    return StridedConvolution{.images = double(shape["images"]),
                              .height = double(shape["height"]),
                              .width = double(shape["width"]),
                              .channels_in = double(shape["channels_in"]),
                              .channels_out = double(shape["channels_out"])}
        .work();
}

// The same by cuDNN, where it is there; its result goes elsewhere.
std::vector<Baseline> library_of(const Shape& shape, std::shared_ptr<std::vector<Operands>> operands) {
    if (shape["images"] == 0) return {};
    try {
        auto plan = std::make_shared<LibraryPlan>(ConvolutionShape{.images = shape["images"],
                                                                   .height = shape["height"],
                                                                   .width = shape["width"],
                                                                   .channels_in = shape["channels_in"],
                                                                   .channels_out = shape["channels_out"]});
        auto out = std::make_shared<Buffer<Bf16>>(operands->front().out.size());
        return {{"cuDNN", [plan, out, operands](int set, cudaStream_t stream) {
                     const StridedConvolutionTask& task = (*operands)[std::size_t(set)].task;
                     plan->launch({task.in, task.weights, out->data()}, stream);
                 }}};
    } catch (const NotApplicable&) {
        return {};
    }
}

Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 2 * std::uint64_t(set));
    return {
        .work = work_of(shape),
        .launch = [operands](int set,
                             cudaStream_t stream) { strided_convolution((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().out.poison(); },
        .verify = [operands] { return verify(operands->front()); },
        .baselines = library_of(shape, operands)};
}

Shape grid(long images, long height, long width, long channels_in, long channels_out) {
    return {{"images", images},
            {"height", height},
            {"width", width},
            {"channels_in", channels_in},
            {"channels_out", channels_out}};
}

}  // namespace

std::vector<Kernel> strided_convolution_kernels() {
    return {{.name = "vision/compressor-convolution",
             .what = "3 x 3 taps, stride 2, BF16, as a matrix product on the tensor cores",
             .source = "kernels/vision/strided_convolution.cu",
             .ceiling = Ceiling::none,  // arithmetic bounds it
             .goal = {.text = "facts A14: 400 TF/s; mma.sync fed from registers cannot be expected to reach it"},
             .shapes = {{grid(16, 64, 64, 256, 512), "deepseek-ocr base"},
                        {grid(16, 32, 32, 512, 1024), "deepseek-ocr base"},
                        {grid(1, 64, 64, 256, 512), "deepseek-ocr base"},
                        {grid(1, 32, 32, 512, 1024), "deepseek-ocr base"}},
             .check_shapes = {grid(0, 8, 8, 32, 8), grid(1, 1, 1, 32, 8), grid(3, 33, 17, 64, 200),
                              grid(5, 63, 41, 96, 1032)},
             .prepare = prepare,
             .set_bytes = [](const Shape& shape) { return work_of(shape).bytes(); }}};
}

}  // namespace strata
