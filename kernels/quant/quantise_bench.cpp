// Quantisation at the widths that activations of the models have, cold, against the copy of this run.
#include "kernels/bench/kernel.hpp"
#include "kernels/quant/codes.hpp"
#include "kernels/quant/kernels.hpp"
#include "kernels/quant/quantise.hpp"
#include "kernels/quant/quantise_launch.hpp"
#include "kernels/quant/quantise_reference.hpp"

namespace strata {

namespace {

enum class ScaleForm { fp32, fp32_columns, power_of_two, packed_ue8m0 };

bool is_power_of_two(ScaleForm form) { return form == ScaleForm::power_of_two || form == ScaleForm::packed_ue8m0; }
double scale_bytes(ScaleForm form) { return form == ScaleForm::packed_ue8m0 ? 1 : 4; }

TileScales scales_in(ScaleForm form) {
    const bool columns = form == ScaleForm::fp32_columns || form == ScaleForm::packed_ue8m0;
    return {.power_of_two = form == ScaleForm::power_of_two,
            .layout = columns ? ScaleLayout::column_major : ScaleLayout::row_major,
            .packed = form == ScaleForm::packed_ue8m0};
}

struct Operands {
    Operands(const Shape& shape, ScaleForm form, std::uint64_t seed)
        : task{.scales = scales_in(form), .rows = shape["rows"], .width = shape["width"]},
          in(random_normal<Bf16>(std::size_t(task.rows * task.width), seed)),
          out(in.size()),
          fp32(form == ScaleForm::packed_ue8m0 ? 0 : std::size_t(scales_of(task))),
          ue8m0(form == ScaleForm::packed_ue8m0 ? std::size_t(scales_of(task)) : 0) {
        task.in = in.data(), task.out = out.data();
        if (form == ScaleForm::packed_ue8m0)
            task.scales.ue8m0 = ue8m0.data();
        else
            task.scales.fp32 = fp32.data();
    }
    QuantiseTilesTask task;
    Buffer<Bf16> in;
    Buffer<E4m3> out;
    Buffer<float> fp32;
    Buffer<Ue8m0> ue8m0;
};

// Reads the scale of (row, tile) from where store_scale has put it, found here by the layouts' definitions.
double stored_scale(const Operands& operands, std::int64_t row, std::int64_t tile) {
    const QuantiseTilesTask& task = operands.task;
    const bool columns = task.scales.layout == ScaleLayout::column_major;
    const long across = task.width / 128, padded = padded_rows(task.rows);
    if (task.scales.packed)
        return to_float(operands.ue8m0.read(std::size_t((tile / 4 * padded + row) * 4 + tile % 4), 1).front());
    return operands.fp32.read(std::size_t(columns ? tile * padded + row : row * across + tile), 1).front();
}

Verdict verify(const Operands& operands, ScaleForm form) {
    const QuantiseTilesTask& task = operands.task;
    Compared compared;
    for (const std::int64_t row : rows_to_compare(task.rows, 64, 1)) {
        std::vector<double> in;
        append(in, operands.in, row * task.width, task.width);
        const auto should = reference::quantise(in, 1, task.width, 1, is_power_of_two(form));
        append(compared.codes, operands.out, row * task.width, task.width);
        compared.codes_should.insert(compared.codes_should.end(), should.codes.begin(), should.codes.end());
        for (long tile = 0; tile < task.width / 128; ++tile)
            compared.scales.push_back(stored_scale(operands, row, tile));
        compared.scales_should.insert(compared.scales_should.end(), should.scales.begin(), should.scales.end());
    }
    return compared.verdict();
}

Work work_of(const Shape& shape, ScaleForm form) {
    return QuantiseTiles{
        .rows = double(shape["rows"]), .width = double(shape["width"]), .scale_bytes = scale_bytes(form)}
        .work();
}

Prepared prepare(const Shape& shape, ScaleForm form, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<std::vector<Operands>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, form, seed + std::uint64_t(set));
    return {.work = work_of(shape, form),
            .launch = [operands](int set, cudaStream_t stream) { quantise_tiles((*operands)[set].task, stream); },
            .poison =
                [operands] {
                    operands->front().out.poison(), operands->front().fp32.poison(), operands->front().ue8m0.poison();
                },
            .verify = [operands, form] { return verify(operands->front(), form); }};
}

Kernel tiles(const std::string& name, ScaleForm form, const std::string& scales) {
    return {
        .name = name,
        .what = "BF16 to E4M3 in 1x128 tiles, " + scales,
        .source = "kernels/quant/quantise.cu",
        .goal = {.share = 0.90, .text = "3.9 TB/s of 4.3 on an H200"},
        .shapes = {{{{"rows", 8192}, {"width", 7168}}, "v3 v3.2 v4-pro"},
                   {{{"rows", 8192}, {"width", 4096}}, "v4-flash"},
                   {{{"rows", 8192}, {"width", 5120}}, "v4.1-flash"},
                   {{{"rows", 128}, {"width", 7168}}, "v3 v3.2 v4-pro"}},
        .check_shapes = {{{"rows", 0}, {"width", 128}}, {{"rows", 1}, {"width", 128}}, {{"rows", 67}, {"width", 384}}},
        .prepare = [form](const Shape& shape, int sets,
                          std::uint64_t seed) { return prepare(shape, form, sets, seed); },
        .set_bytes = [form](const Shape& shape) { return work_of(shape, form).bytes(); }};
}

}  // namespace

std::vector<Kernel> quantise_tiles_kernels() {
    return {tiles("quant/tiles-fp32", ScaleForm::fp32, "FP32 scales"),
            tiles("quant/tiles-ue8m0", ScaleForm::power_of_two, "scales a power of two in FP32"),
            tiles("quant/tiles-fp32-columns", ScaleForm::fp32_columns, "FP32 scales column-major as TMA reads them"),
            tiles("quant/tiles-packed-ue8m0", ScaleForm::packed_ue8m0, "UE8M0 scales four to a word, column-major")};
}

std::vector<Kernel> quant_kernels() {
    std::vector<Kernel> all;
    for (const auto part : {quantise_tiles_kernels, quantise_blocks_kernels, swiglu_quantise_kernels})
        for (Kernel& kernel : part()) all.push_back(std::move(kernel));
    return all;
}

}  // namespace strata
