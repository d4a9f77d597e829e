// Dense products at the models' shapes: block-scaled FP8 and BF16 by cuBLASLt, and our grouped kernel with one group
// beside the former.
#include "kernels/bench/kernel.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/grouped_fp8_launch.hpp"
#include "kernels/gemm/kernels.hpp"
#include "kernels/gemm/library_baseline.hpp"
#include "kernels/gemm/scaled_operands.hpp"

namespace strata {

namespace {

Work work_of(const Shape& shape, Precision weights) {
    return Gemm{.m = double(shape["m"]), .n = double(shape["n"]), .k = double(shape["k"]), .weights = weights}.work();
}

LibraryGemm library_product(const ScaledOperands& operands, const std::shared_ptr<LibraryContext>& context) {
    return {GemmType::fp8_block,
            int(operands.rows),
            operands.n,
            operands.k,
            {.a = operands.a.data(),
             .a_scales = operands.a_scales.data(),
             .b = operands.b.data(),
             .b_scales = operands.b_scales.data(),
             .out = operands.out.data()},
            context};
}

using ScaledSets = std::vector<ScaledOperands>;

std::shared_ptr<ScaledSets> scaled_sets(const Shape& shape, long scale_stride, int sets, std::uint64_t seed) {
    auto operands = std::make_shared<ScaledSets>();
    for (int set = 0; set < sets; ++set)
        operands->emplace_back(shape["m"], 1, int(shape["n"]), int(shape["k"]), 1, scale_stride,
                               seed + std::uint64_t(8 * set));
    return operands;
}

Prepared of_scaled(const Shape& shape, const std::shared_ptr<ScaledSets>& operands) {
    return {.work = work_of(shape, Precision::fp8_block),
            .poison = [operands] { operands->front().out.poison(); },
            .verify =
                [operands] {
                    std::vector<double> is, should;
                    for (const std::int64_t row : rows_to_compare(operands->front().rows, 24, 1))
                        operands->front().compare_row(0, row, 0, is, should);
                    return same_product(is, should);
                }};
}

Prepared prepare_hand(const Shape& shape, int sets, std::uint64_t seed) {
    const auto operands = scaled_sets(shape, scale_rows(shape["m"]), sets, seed);
    Prepared prepared = of_scaled(shape, operands);
    prepared.launch = [operands](int set, cudaStream_t stream) {
        grouped_fp8((*operands)[std::size_t(set)].task(1), stream);
    };
    prepared.baselines =
        library_baseline("cuBLASLt", sets, [=](int set, const std::shared_ptr<LibraryContext>& context) {
            std::vector<LibraryGemm> one;
            if (shape["m"] > 0) one.push_back(library_product((*operands)[std::size_t(set)], context));
            return one;
        });
    return prepared;
}

Prepared prepare_library_fp8(const Shape& shape, int sets, std::uint64_t seed) {
    const auto context = std::make_shared<LibraryContext>();
    const auto operands = scaled_sets(shape, shape["m"], sets, seed);  // the library knows no padding of a's scales
    auto products = std::make_shared<std::vector<LibraryGemm> >();
    for (const ScaledOperands& one : *operands) products->push_back(library_product(one, context));
    Prepared prepared = of_scaled(shape, operands);
    prepared.launch = [operands, products](int set, cudaStream_t stream) {
        (*products)[std::size_t(set)].launch(stream);
    };
    return prepared;
}

struct Bf16Operands {
    Bf16Operands(long m, long n, long k, std::uint64_t seed)
        : a(random_normal<Bf16>(std::size_t(m * k), seed)),
          b(random_normal<Bf16>(std::size_t(n * k), seed + 1)),
          out(std::size_t(m * n)) {}
    Buffer<Bf16> a, b, out;
};

Verdict verify_bf16(const Bf16Operands& operands, const Shape& shape) {
    const long m = shape["m"], n = shape["n"], k = shape["k"];
    std::vector<double> is, should;
    for (const std::int64_t row : rows_to_compare(m, 24, 1)) {
        const std::vector<double> left = row_of(operands.a, row, k), result = row_of(operands.out, row, n);
        for (const std::int64_t column : rows_to_compare(n, 200, std::uint64_t(row))) {
            const std::vector<double> right = row_of(operands.b, column, k);
            double sum = 0;
            for (std::size_t x = 0; x < left.size(); ++x) sum += left[x] * right[x];
            is.push_back(result[std::size_t(column)]), should.push_back(sum);
        }
    }
    return same_product(is, should);
}

Prepared prepare_library_bf16(const Shape& shape, int sets, std::uint64_t seed) {
    const auto context = std::make_shared<LibraryContext>();
    auto operands = std::make_shared<std::vector<Bf16Operands> >();
    auto products = std::make_shared<std::vector<LibraryGemm> >();
    for (int set = 0; set < sets; ++set) {
        operands->emplace_back(shape["m"], shape["n"], shape["k"], seed + std::uint64_t(8 * set));
        const Bf16Operands& one = operands->back();
        products->emplace_back(GemmType::bf16, int(shape["m"]), int(shape["n"]), int(shape["k"]),
                               GemmOperands{.a = one.a.data(), .b = one.b.data(), .out = one.out.data()}, context);
    }
    return {
        .work = work_of(shape, Precision::bf16),
        .launch = [operands, products](int set, cudaStream_t stream) { (*products)[std::size_t(set)].launch(stream); },
        .poison = [operands] { operands->front().out.poison(); },
        .verify = [operands, shape] { return verify_bf16(operands->front(), shape); }};
}

Shape dense(std::int64_t m, std::int64_t n, std::int64_t k) { return {{"m", m}, {"n", n}, {"k", k}}; }

// Facts B9; the most telling first. Of V3: output projection, shared expert (up, down), both first projections of
// attention, keys' and queries' second ones.
std::vector<ProductionShape> shapes() {
    std::vector<ProductionShape> all;
    for (const std::int64_t m : {4096, 128, 1})
        for (const auto& [n, k] : {std::pair{7168, 16384},
                                   {4096, 7168},
                                   {7168, 2048},
                                   {2112, 7168},
                                   {576, 7168},
                                   {24576, 1536},
                                   {32768, 512}})
            all.push_back({dense(m, n, k), "v3 v3.2"});
    return all;
}

Kernel kernel(const std::string& name, const std::string& what, const std::string& source, Precision weights,
              Ceiling ceiling) {
    return {.name = name,
            .what = what,
            .source = source,
            .ceiling = ceiling,
            .shapes = shapes(),
            .check_shapes = {dense(1, 64, 128), dense(130, 200, 384), dense(64, 576, 256), dense(4224, 520, 256)},
            .set_bytes = [weights](const Shape& shape) { return work_of(shape, weights).bytes(); }};
}

}  // namespace

std::vector<Kernel> dense_kernels() {
    const Flops flops = work_of(shapes().front().shape, Precision::fp8_block).flops;
    Kernel library_fp8 = kernel("gemm/fp8-library", "block-scaled FP8 product of cuBLASLt, 1x128 by 128x128 scales",
                                "kernels/gemm/dense_bench.cpp", Precision::fp8_block, Ceiling::fp8);
    library_fp8.prepare = prepare_library_fp8;
    library_fp8.goal = {.time = flops / 1100.0_TFLOPS, .text = "facts A10: 1100 TFLOP/s at 4096x7168x16384"};
    Kernel library_bf16 = kernel("gemm/bf16-library", "BF16 product of cuBLASLt", "kernels/gemm/dense_bench.cpp",
                                 Precision::bf16, Ceiling::bf16);
    library_bf16.prepare = prepare_library_bf16;
    Kernel hand = kernel("gemm/fp8", "block-scaled FP8 product by hand: the grouped kernel with one group",
                         "kernels/gemm/grouped_fp8.cu", Precision::fp8_block, Ceiling::fp8_block);
    hand.prepare = prepare_hand;
    hand.goal = {.time = flops / 1000.0_TFLOPS, .text = "facts A10: 1000 TFLOP/s by hand from 4096 rows"};
    hand.check_shapes.insert(hand.check_shapes.begin(), dense(0, 64, 128));
    return {library_fp8, library_bf16, hand};
}

std::vector<Kernel> gemm_kernels() {
    std::vector<Kernel> all = dense_kernels();
    for (Kernel& one : grouped_fp8_kernels()) all.push_back(std::move(one));
    return all;
}

}  // namespace strata
