// Pages from one mode's size to the next smaller one's, cold, against the copy of this run.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/vision/kernels.hpp"
#include "kernels/vision/optical_compression.hpp"
#include "kernels/vision/page_resize_launch.hpp"
#include "kernels/vision/page_resize_reference.hpp"

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, std::uint64_t seed)
        : in(std::size_t(shape["images"] * 3 * shape["height"] * shape["width"])),
          out(std::size_t(shape["images"] * 3 * shape["side"] * shape["side"])) {
        fill_bytes(in.data(), in.bytes(), seed);
        task = {.in = in.data(),
                .out = out.data(),
                .images = shape["images"],
                .height = shape["height"],
                .width = shape["width"],
                .placed = {shape["side"], 0, 0, shape["side"], shape["side"]}};
    }
    Buffer<std::uint8_t> in, out;
    PageResizeTask task;
};

Verdict verify(const Operands& operands) {
    const PageResizeTask& task = operands.task;
    const auto plane = std::size_t(task.height * task.width), square = std::size_t(task.placed.side * task.placed.side);
    std::vector<double> is, should;
    for (const std::int64_t which : rows_to_compare(task.images * 3, 4, 1)) {
        const auto expected = reference::page_resize(operands.in.read(std::size_t(which) * plane, plane), task.height,
                                                     task.width, task.placed, task.filling[which % 3]);
        for (const std::uint8_t x : operands.out.read(std::size_t(which) * square, square)) is.push_back(x);
        should.insert(should.end(), expected.begin(), expected.end());
    }
    return same_bits(is, should);
}

Work work_of(const Shape& shape) {
    return PageResize{.images = double(shape["images"]),
                      .height = double(shape["height"]),
                      .width = double(shape["width"]),
                      .out_height = double(shape["side"]),
                      .out_width = double(shape["side"])}
        .work();
}

Prepared prepare(const Shape& shape, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + std::uint64_t(set));
    return {
        .work = work_of(shape),
        .launch = [operands](int set, cudaStream_t stream) { page_resize((*operands)[std::size_t(set)].task, stream); },
        .poison = [operands] { operands->front().out.poison(); },
        .verify = [operands] { return verify(operands->front()); }};
}

Shape pages(long images, long height, long width, long side) {
    return {{"images", images}, {"height", height}, {"width", width}, {"side", side}};
}

}  // namespace

std::vector<Kernel> page_resize_kernels() {
    // No goal: integer arithmetic on single bytes bounds it, not memory; pages fade once a turn.
    return {{.name = "vision/page-resize",
             .what = "8-bit pages to a smaller square by exact averages of areas",
             .source = "kernels/vision/page_resize.cu",
             .shapes = {{pages(16, 1280, 1280, 1024), "deepseek-ocr large to base"},
                        {pages(16, 1024, 1024, 640), "deepseek-ocr base to small"},
                        {pages(16, 640, 640, 512), "deepseek-ocr small to tiny"}},
             .check_shapes = {pages(0, 8, 8, 8), pages(1, 1, 1, 4), pages(2, 67, 131, 40), pages(1, 9, 9, 24)},
             .prepare = prepare,
             .set_bytes = [](const Shape& shape) { return work_of(shape).bytes(); }}};
}

}  // namespace strata
