// Quantisation at the widths that activations of the models have, cold, against the copy of this run.
#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/kernel.hpp"
#include "kernels/quant/kernels.hpp"
#include "kernels/quant/quantise.hpp"
#include "kernels/quant/quantise_launch.hpp"
#include "kernels/quant/quantise_reference.hpp"

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, bool power_of_two, std::uint64_t seed)
        : in(random_normal<Bf16>(std::size_t(shape["rows"] * shape["width"]), seed)),
          out(in.size()),
          scales(in.size() / 128) {
        task = {.in = in.data(),
                .out = out.data(),
                .scales = scales.data(),
                .rows = shape["rows"],
                .width = shape["width"],
                .power_of_two = power_of_two};
    }
    Buffer<Bf16> in;
    Buffer<E4m3> out;
    Buffer<float> scales;
    QuantiseTilesTask task;
};

// Codes may differ by one step where x * (1 / scale) in float lies beside a tie: 1 in 16 is E4M3's step at worst.
Verdict verify(const Operands& operands) {
    const QuantiseTilesTask& task = operands.task;
    std::vector<double> is, should, scales, scales_should;
    for (const std::int64_t row : rows_to_compare(task.rows, 64, 1)) {
        std::vector<double> in;
        for (const Bf16 x : operands.in.read(std::size_t(row * task.width), std::size_t(task.width)))
            in.push_back(to_float(x));
        const auto expected = reference::quantise(in, 1, task.width, 1, task.power_of_two);
        for (const E4m3 x : operands.out.read(std::size_t(row * task.width), std::size_t(task.width)))
            is.push_back(to_float(x));
        should.insert(should.end(), expected.codes.begin(), expected.codes.end());
        for (const float scale :
             operands.scales.read(std::size_t(row * task.width / 128), std::size_t(task.width / 128)))
            scales.push_back(scale);
        scales_should.insert(scales_should.end(), expected.scales.begin(), expected.scales.end());
    }
    return all_of(
        {close_to(scales, scales_should, 0, 1e-6), alike(is, should, 1e-6), close_to(is, should, 0x1p-9, 1.0 / 8)});
}

Prepared prepare(const Shape& shape, bool power_of_two, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, power_of_two, seed + std::uint64_t(set));
    return {.work = QuantiseTiles{.rows = double(shape["rows"]), .width = double(shape["width"])}.work(),
            .launch = [operands](int set, cudaStream_t stream) { quantise_tiles((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().out.poison(), operands->front().scales.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Kernel tiles(const std::string& name, bool power_of_two) {
    return {
        .name = name,
        .what = power_of_two ? "BF16 to E4M3 in 1x128 tiles, scales a power of two"
                             : "BF16 to E4M3 in 1x128 tiles, FP32 scales",
        .source = "kernels/quant/quantise.cu",
        .goal = {.share = 0.90, .text = "3.9 TB/s of 4.3 on an H200"},
        .shapes = {{{{"rows", 8192}, {"width", 7168}}, "v3 v3.2 v4-pro"},
                   {{{"rows", 8192}, {"width", 4096}}, "v4-flash"},
                   {{{"rows", 8192}, {"width", 5120}}, "v4.1-flash"},
                   {{{"rows", 128}, {"width", 7168}}, "v3 v3.2 v4-pro"}},
        .check_shapes = {{{"rows", 0}, {"width", 128}}, {{"rows", 1}, {"width", 128}}, {{"rows", 67}, {"width", 384}}},
        .prepare = [power_of_two](const Shape& shape, int sets,
                                  std::uint64_t seed) { return prepare(shape, power_of_two, sets, seed); },
        .set_bytes =
            [](const Shape& shape) {
                return QuantiseTiles{.rows = double(shape["rows"]), .width = double(shape["width"])}.work().bytes();
            }};
}

}  // namespace

std::vector<Kernel> quant_kernels() { return {tiles("quant/tiles-fp32", false), tiles("quant/tiles-ue8m0", true)}; }

}  // namespace strata
