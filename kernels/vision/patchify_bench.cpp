// Pages at the sizes of DeepSeek-OCR's modes to patches, cold, against the copy of this run.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/vision/kernels.hpp"
#include "kernels/vision/optical_compression.hpp"
#include "kernels/vision/patchify_launch.hpp"
#include "kernels/vision/patchify_reference.hpp"

namespace strata {

namespace {

template <class T>
Buffer<T> random_pixels(std::size_t count, std::uint64_t seed) {
    if constexpr (sizeof(T) == 2) return random_normal<Bf16>(count, seed, 0.2f, 0.5f);
    Buffer<T> pixels(count);
    fill_bytes(pixels.data(), pixels.bytes(), seed);
    return pixels;
}

template <class T>
struct Operands {
    Operands(const Shape& shape, std::uint64_t seed)
        : pixels(random_pixels<T>(std::size_t(shape["images"] * 3 * shape["height"] * shape["width"]), seed)),
          patches(std::size_t(768 * shape["images"] * ceil_div(shape["height"], 16) * ceil_div(shape["width"], 16))) {
        task = {.pixels = pixels.data(),
                .patches = patches.data(),
                .images = shape["images"],
                .height = shape["height"],
                .width = shape["width"]};
    }
    Buffer<T> pixels;
    Buffer<Bf16> patches;
    PatchifyTask<T> task;
};

template <class T>
Verdict verify(const Operands<T>& operands) {
    const PatchifyTask<T>& task = operands.task;
    const std::size_t of_image = std::size_t(3 * task.height * task.width);
    std::vector<double> is, should;
    for (const std::int64_t image : rows_to_compare(task.images, 2, 1)) {
        std::vector<double> pixels;
        for (const T x : operands.pixels.read(std::size_t(image) * of_image, of_image))
            pixels.push_back(to_float(x) / (sizeof(T) == 1 ? 255.0 : 1.0));
        const auto patches = reference::patchify(pixels, task.height, task.width, task.mean, task.deviation);
        for (const Bf16 x : operands.patches.read(std::size_t(image) * patches.size(), patches.size()))
            is.push_back(to_float(x));
        should.insert(should.end(), patches.begin(), patches.end());
    }
    return close_to(is, should, 1e-6, 1.0 / 256);  // a step of BF16
}

template <class T>
Work work_of(const Shape& shape) {
    return Patchify{.images = double(shape["images"]),
                    .height = double(shape["height"]),
                    .width = double(shape["width"]),
                    .pixel_bytes = sizeof(T)}
        .work();
}

template <class T>
Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands<T>>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
    return {
        .work = work_of<T>(shape),
        .launch = [operands](int set, cudaStream_t stream) { patchify((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().patches.poison(); },
        .verify = [operands] { return verify(operands->front()); }};
}

Shape pages(long images, long height, long width) { return {{"images", images}, {"height", height}, {"width", width}}; }

template <class T>
Kernel kernel(const std::string& name, const std::string& what) {
    return {.name = name,
            .what = what,
            .source = "kernels/vision/patchify.cu",
            .goal = {.share = 0.80, .text = "ours: a stream that widens bytes to BF16"},
            .shapes = {{pages(64, 1024, 1024), "deepseek-ocr base"},
                       {pages(64, 1280, 1280), "deepseek-ocr large"},
                       {pages(144, 640, 640), "deepseek-ocr gundam"},
                       {pages(1, 1024, 1024), "deepseek-ocr base"}},
            .check_shapes = {pages(0, 16, 16), pages(1, 1, 1), pages(3, 37, 531), pages(2, 48, 304)},
            .prepare = [](const Shape& shape, int sets, std::uint64_t seed) { return prepare<T>(shape, sets, seed); },
            .set_bytes = [](const Shape& shape) { return work_of<T>(shape).bytes(); }};
}

}  // namespace

std::vector<Kernel> patchify_kernels() {
    return {kernel<std::uint8_t>("vision/patchify-u8", "8-bit pages to normalised BF16 patches of 16 x 16"),
            kernel<Bf16>("vision/patchify-bf16", "BF16 pages to normalised BF16 patches of 16 x 16")};
}

std::vector<Kernel> vision_kernels() {
    std::vector<Kernel> all;
    for (const auto some : {strided_convolution_kernels, encoder_attention_kernels, patchify_kernels,
                            pixel_unshuffle_kernels, page_resize_kernels})
        for (Kernel& one : some()) all.push_back(std::move(one));
    return all;
}

}  // namespace strata
