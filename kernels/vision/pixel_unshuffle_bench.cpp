// Grids of tokens, nine in one, cold, against the copy of this run.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/vision/kernels.hpp"
#include "kernels/vision/optical_compression.hpp"
#include "kernels/vision/pixel_unshuffle_launch.hpp"
#include "kernels/vision/pixel_unshuffle_reference.hpp"

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, UnshuffleOrder order, std::uint64_t seed)
        : tokens(random_normal<Bf16>(
              std::size_t(shape["images"] * shape["height"] * shape["width"] * shape["channels"]), seed)),
          out(std::size_t(shape["images"] * ceil_div(shape["height"], 3) * ceil_div(shape["width"], 3) * 9 *
                          shape["channels"])) {
        task = {.tokens = tokens.data(),
                .out = out.data(),
                .images = shape["images"],
                .height = shape["height"],
                .width = shape["width"],
                .channels = shape["channels"],
                .order = order};
    }
    Buffer<Bf16> tokens, out;
    PixelUnshuffleTask task;
};

Verdict verify(const Operands& operands) {
    const auto in = operands.tokens.read();
    std::vector<Bf16> is, should;
    const long width = 9 * operands.task.channels;
    for (const std::int64_t token : rows_to_compare(unshuffled_tokens(operands.task), 256, 1))
        for (long at = token * width; const Bf16 x : operands.out.read(std::size_t(at), std::size_t(width))) {
            const long source = reference::unshuffle_source(operands.task, at++);
            is.push_back(x), should.push_back(source < 0 ? Bf16{0} : in[std::size_t(source)]);
        }
    return same_bits(is, should);
}

Work work_of(const Shape& shape) {
    return PixelUnshuffle{.images = double(shape["images"]),
                          .height = double(shape["height"]),
                          .width = double(shape["width"]),
                          .channels = double(shape["channels"])}
        .work();
}

Prepared prepare(const Shape& shape, UnshuffleOrder order, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, order, seed + std::uint64_t(set));
    // The baseline has a buffer of its own: the output is verified again after the timing.
    auto copy = std::make_shared<Buffer<Bf16>>(operands->front().tokens.size());
    return {.work = work_of(shape),
            .launch = [operands](int set,
                                 cudaStream_t stream) { pixel_unshuffle((*operands)[std::size_t(set)].task, stream); },
            .poison = [operands] { operands->front().out.poison(); },
            .verify = [operands] { return verify(operands->front()); },
            .baselines = {{"cudaMemcpy of the tokens", [operands, copy](int set, cudaStream_t stream) {
                               const Buffer<Bf16>& from = (*operands)[std::size_t(set)].tokens;
                               check_cuda(
                                   cudaMemcpyAsync(copy->data(), from.data(), from.bytes(), cudaMemcpyDefault, stream),
                                   "copying tokens");
                           }}}};
}

Shape grids(long images, long height, long width, long channels) {
    return {{"images", images}, {"height", height}, {"width", width}, {"channels", channels}};
}

Kernel kernel(const std::string& name, const std::string& what, UnshuffleOrder order) {
    return {.name = name,
            .what = what,
            .source = "kernels/vision/pixel_unshuffle.cu",
            .goal = {.share = 0.80, .text = "ours: a permutation by way of shared memory"},
            // 48 x 48 tokens of 1024: a 768 x 768 page; V4.1 publishes no sizes of its vision tower's grid.
            .shapes = {{grids(32, 48, 48, 1024), "v4.1-flash (sizes assumed)"},
                       {grids(1, 48, 48, 1024), "v4.1-flash (sizes assumed)"}},
            .check_shapes = {grids(0, 3, 3, 8), grids(1, 1, 1, 8), grids(2, 7, 11, 136)},
            .prepare = [order](const Shape& shape, int sets,
                               std::uint64_t seed) { return prepare(shape, order, sets, seed); },
            .set_bytes = [](const Shape& shape) { return work_of(shape).bytes(); }};
}

}  // namespace

std::vector<Kernel> pixel_unshuffle_kernels() {
    return {kernel("vision/pixel-unshuffle-channel", "3 x 3 tokens in one, channels outermost (torch's order)",
                   UnshuffleOrder::channel_first),
            kernel("vision/pixel-unshuffle-neighbour", "3 x 3 tokens in one, neighbours end to end",
                   UnshuffleOrder::neighbour_first)};
}

}  // namespace strata
