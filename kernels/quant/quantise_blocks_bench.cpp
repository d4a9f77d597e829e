// Quantisation of weights in square blocks, at the weight matrices of the models.
#include <algorithm>

#include "kernels/bench/kernel.hpp"
#include "kernels/quant/codes.hpp"
#include "kernels/quant/kernels.hpp"
#include "kernels/quant/quantise.hpp"
#include "kernels/quant/quantise_launch.hpp"
#include "kernels/quant/quantise_reference.hpp"

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, int side, bool ue8m0, std::uint64_t seed)
        : task{.rows = shape["rows"], .width = shape["width"], .side = side},
          in(random_normal<Bf16>(std::size_t(task.rows * task.width), seed, 0.02f)),
          out(in.size()),
          fp32(ue8m0 ? 0 : std::size_t(scales_of(task))),
          exponents(ue8m0 ? std::size_t(scales_of(task)) : 0) {
        task.in = in.data(), task.out = out.data();
        if (ue8m0)
            task.ue8m0 = exponents.data();
        else
            task.fp32 = fp32.data();
    }
    QuantiseBlocksTask task;
    Buffer<Bf16> in;
    Buffer<E4m3> out;
    Buffer<float> fp32;
    Buffer<Ue8m0> exponents;
};

// Whole bands of blocks, of the first, the last and some others.
Verdict verify(const Operands& operands) {
    const QuantiseBlocksTask& task = operands.task;
    const long across = task.width / task.side;
    Compared compared;
    for (const std::int64_t band : rows_to_compare(ceil_div(task.rows, task.side), 4, 1)) {
        const long first = band * task.side, rows = std::min(long(task.side), task.rows - first);
        std::vector<double> in;
        append(in, operands.in, first * task.width, rows * task.width);
        const auto should = reference::quantise(in, rows, task.width, task.side, task.ue8m0 != nullptr, task.side);
        append(compared.codes, operands.out, first * task.width, rows * task.width);
        compared.codes_should.insert(compared.codes_should.end(), should.codes.begin(), should.codes.end());
        if (task.ue8m0)
            append(compared.scales, operands.exponents, band * across, across);
        else
            append(compared.scales, operands.fp32, band * across, across);
        compared.scales_should.insert(compared.scales_should.end(), should.scales.begin(), should.scales.end());
    }
    return compared.verdict();
}

// QuantiseBlocks counts scales for blocks of 128x128: a block of 32x32 has sixteen.
Work work_of(const Shape& shape, int side, bool ue8m0) {
    return QuantiseBlocks{.rows = double(shape["rows"]),
                          .width = double(shape["width"]),
                          .scale_bytes = (ue8m0 ? 1.0 : 4.0) * (128.0 / side) * (128.0 / side)}
        .work();
}

Prepared prepare(const Shape& shape, int side, bool ue8m0, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, side, ue8m0, seed + std::uint64_t(set));
    return {.work = work_of(shape, side, ue8m0),
            .launch = [operands](int set, cudaStream_t stream) { quantise_blocks((*operands)[set].task, stream); },
            .poison =
                [operands] {
                    operands->front().out.poison(), operands->front().fp32.poison(),
                        operands->front().exponents.poison();
                },
            .verify = [operands] { return verify(operands->front()); }};
}

Kernel blocks(const std::string& name, const std::string& what, int side, bool ue8m0,
              std::vector<ProductionShape> shapes) {
    return {.name = name,
            .what = what,
            .source = "kernels/quant/quantise.cu",
            .goal = {.share = 0.90, .text = "3.9 TB/s of 4.3 on an H200"},
            .shapes = std::move(shapes),
            .check_shapes = {{{"rows", 0}, {"width", 128}},
                             {{"rows", 1}, {"width", 128}},
                             {{"rows", 576}, {"width", 7168}},
                             {{"rows", 167}, {"width", 384}}},
            .prepare = [side, ue8m0](const Shape& shape, int sets,
                                     std::uint64_t seed) { return prepare(shape, side, ue8m0, sets, seed); },
            .set_bytes = [side, ue8m0](const Shape& shape) { return work_of(shape, side, ue8m0).bytes(); }};
}

}  // namespace

std::vector<Kernel> quantise_blocks_kernels() {
    return {blocks("quant/blocks-fp32", "weights to E4M3 in 128x128 blocks, FP32 scales", 128, false,
                   {{{{"rows", 7168}, {"width", 16384}}, "v3 v3.2"},
                    {{{"rows", 2112}, {"width", 7168}}, "v3 v3.2"},
                    {{{"rows", 24576}, {"width", 1536}}, "v3 v3.2"}}),
            blocks("quant/blocks-ue8m0", "weights to E4M3 in 128x128 blocks, UE8M0 scales", 128, true,
                   {{{{"rows", 65536}, {"width", 1536}}, "v4-pro"}, {{{"rows", 32768}, {"width", 1024}}, "v4-flash"}}),
            blocks("quant/blocks-32-ue8m0", "weights to E4M3 in 32x32 blocks, UE8M0 scales", 32, true,
                   {{{{"rows", 32768}, {"width", 1280}}, "v4.1-flash"}})};
}

}  // namespace strata
