// SwiGLU with quantisation at the widths of experts and dense layers of the models.
#include "kernels/bench/kernel.hpp"
#include "kernels/quant/codes.hpp"
#include "kernels/quant/kernels.hpp"
#include "kernels/quant/quantise_launch.hpp"
#include "kernels/quant/quantise_reference.hpp"
#include "kernels/quant/swiglu_quantise.hpp"

namespace strata {

namespace {

struct Operands {
    Operands(const Shape& shape, float limit, std::uint64_t seed)
        : task{.rows = shape["rows"], .width = shape["width"], .limit = limit},
          in(random_normal<Bf16>(std::size_t(task.rows * task.width * 2), seed, 4)),  // some beyond a limit of 10
          out(std::size_t(task.rows * task.width)),
          scales(std::size_t(scales_of(task))) {
        task.in = in.data(), task.out = out.data(), task.scales.fp32 = scales.data();
    }
    SwigluQuantiseTask task;
    Buffer<Bf16> in;
    Buffer<E4m3> out;
    Buffer<float> scales;
};

Verdict verify(const Operands& operands) {
    const SwigluQuantiseTask& task = operands.task;
    Compared compared;
    for (const std::int64_t row : rows_to_compare(task.rows, 64, 1)) {
        std::vector<double> in;
        append(in, operands.in, row * 2 * task.width, 2 * task.width);
        const auto products = reference::swiglu(in, 1, task.width, task.limit);
        const auto should = reference::quantise(products, 1, task.width, 1, false);
        append(compared.codes, operands.out, row * task.width, task.width);
        compared.codes_should.insert(compared.codes_should.end(), should.codes.begin(), should.codes.end());
        append(compared.scales, operands.scales, row * task.width / 128, task.width / 128);
        compared.scales_should.insert(compared.scales_should.end(), should.scales.begin(), should.scales.end());
    }
    return compared.verdict(4e-6);  // __expf of a gate of -4 is off by 6 units in the last place
}

Work work_of(const Shape& shape) {
    return SwigluQuantise{.rows = double(shape["rows"]), .width = double(shape["width"])}.work();
}

Prepared prepare(const Shape& shape, float limit, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, limit, seed + std::uint64_t(set));
    return {.work = work_of(shape),
            .launch = [operands](int set, cudaStream_t stream) { swiglu_quantise((*operands)[set].task, stream); },
            .poison = [operands] { operands->front().out.poison(), operands->front().scales.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Kernel swiglu(const std::string& name, const std::string& what, float limit, std::vector<ProductionShape> shapes) {
    return {
        .name = name,
        .what = what,
        .source = "kernels/quant/quantise.cu",
        .goal = {.share = 0.90, .text = "3.9 TB/s of 4.3 on an H200"},
        .shapes = std::move(shapes),
        .check_shapes = {{{"rows", 0}, {"width", 128}}, {{"rows", 1}, {"width", 128}}, {{"rows", 67}, {"width", 384}}},
        .prepare = [limit](const Shape& shape, int sets,
                           std::uint64_t seed) { return prepare(shape, limit, sets, seed); },
        .set_bytes = [](const Shape& shape) { return work_of(shape).bytes(); }};
}

}  // namespace

std::vector<Kernel> swiglu_quantise_kernels() {
    return {swiglu("quant/swiglu", "silu(gate) * up to E4M3 in 1x128 tiles", kNoSwigluLimit,
                   {{{{"rows", 32768}, {"width", 2048}}, "v3 v3.2"}, {{{"rows", 4096}, {"width", 18432}}, "v3 v3.2"}}),
            swiglu("quant/swiglu-clamped", "silu(gate) * up, clamped at 10, to E4M3 in 1x128 tiles", 10,
                   {{{{"rows", 32768}, {"width", 2048}}, "v4-flash"},
                    {{{"rows", 32768}, {"width", 3072}}, "v4-pro"},
                    {{{"rows", 32768}, {"width", 2304}}, "v4.1-flash"},
                    {{{"rows", 384}, {"width", 3072}}, "v4-pro"}})};
}

}  // namespace strata
