// MTP's products at the batches of decoding: with one draft a sequence, tokens are twice the sequences.
#include <memory>

#include "kernels/bench/compare.hpp"
#include "kernels/bench/device_buffer.hpp"
#include "kernels/bench/in_double.hpp"
#include "kernels/bench/library_product.hpp"
#include "kernels/gemm/product_reference.hpp"
#include "kernels/mtp/kernels.hpp"
#include "kernels/mtp/mtp_products.hpp"

namespace strata {

namespace {

// `T`: FP32 logits of the head, BF16 results of the projection.
template <class T>
struct Operands {
    explicit Operands(const ProductShape& of, std::uint64_t seed)
        : shape(of),
          activations(random_normal<Bf16>(std::size_t(of.m * of.k), seed)),
          weights(random_normal<Bf16>(std::size_t(of.n * of.k), seed + 1, 0.02f)),
          out(std::size_t(of.m * of.n)) {}
    ProductShape shape;
    Buffer<Bf16> activations, weights;
    Buffer<T> out;
};

// Some rows against some columns. FP32 sums of up to 14336 products of either sign; a result in BF16 is off by half of
// its last place besides.
template <class T>
Verdict verify(const Operands<T>& operands) {
    const ProductShape& shape = operands.shape;
    std::vector<double> is, should;
    for (const std::int64_t row : rows_to_compare(shape.m, 8, 1)) {
        const auto activations = row_of(operands.activations, row, shape.k);
        const auto mine = row_of(operands.out, row, shape.n);
        for (const std::int64_t column : rows_to_compare(shape.n, 512, std::uint64_t(row) + 2)) {
            is.push_back(mine[std::size_t(column)]);
            should.push_back(reference::product(activations, row_of(operands.weights, column, shape.k))[0]);
        }
    }
    const bool fp32 = shape.fp32_out;
    return all_of({alike(is, should, fp32 ? 1e-9 : 1e-5), close_to(is, should, 1e-3, fp32 ? 1e-3 : 0.01)});
}

template <class T>
Prepared prepare(const ProductShape& shape, const Work& work, int sets, std::uint64_t seed) {
    auto product = std::make_shared<LibraryProduct>(shape);
    auto operands = std::make_shared<std::vector<Operands<T>>>();
    for (int set = 0; set < sets; ++set) operands->emplace_back(shape, seed + 2 * std::uint64_t(set));
    return {.work = work,
            .launch =
                [product, operands](int set, cudaStream_t stream) {
                    const Operands<T>& of = (*operands)[std::size_t(set)];
                    product->launch(of.activations.data(), of.weights.data(), of.out.data(), stream);
                },
            .poison = [operands] { operands->front().out.poison(); },
            .verify = [operands] { return verify(operands->front()); }};
}

Work head_work(const Shape& shape) {
    return MtpHead{
        .tokens = double(shape["tokens"]), .hidden = double(shape["hidden"]), .vocabulary = double(shape["vocabulary"])}
        .work();
}

Work projection_work(const Shape& shape) {
    return MtpProjection{.tokens = double(shape["tokens"]), .hidden = double(shape["hidden"])}.work();
}

Shape head(long tokens, long hidden, long vocabulary = 129280) {
    return {{"tokens", tokens}, {"hidden", hidden}, {"vocabulary", vocabulary}};
}

Shape projection(long tokens, long hidden) { return {{"tokens", tokens}, {"hidden", hidden}}; }

}  // namespace

std::vector<Kernel> mtp_product_kernels() {
    return {{.name = "mtp/head",
             .what = "logits of the vocabulary, FP32, by cuBLASLt",
             .source = "kernels/mtp/mtp_products_bench.cpp",
             .goal = {.share = 0.9, .text = "facts A11: M = 1 reads weights at 3.9 TB/s of 4.3 on an H200"},
             .shapes = {{head(128, 7168), "v3 v3.2 v4-pro"},
                        {head(1, 7168), "v3 v3.2 v4-pro"},
                        {head(128, 4096), "v4-flash"},
                        {head(320, 5120), "v4.1-flash"}},
             .check_shapes = {head(1, 64, 8), head(3, 512, 1000), head(130, 1024, 1288)},
             .prepare =
                 [](const Shape& shape, int sets, std::uint64_t seed) {
                     return prepare<float>({shape["tokens"], shape["vocabulary"], shape["hidden"], true},
                                           head_work(shape), sets, seed);
                 },
             .set_bytes = [](const Shape& shape) { return head_work(shape).bytes(); }},
            {.name = "mtp/projection",
             .what = "last hidden state beside the next embedding to one hidden state, BF16, by cuBLASLt",
             .source = "kernels/mtp/mtp_products_bench.cpp",
             .shapes = {{projection(128, 7168), "v3 v3.2 v4-pro"},
                        {projection(1, 7168), "v3 v3.2 v4-pro"},
                        {projection(128, 4096), "v4-flash"}},
             .check_shapes = {projection(1, 64), projection(3, 520), projection(130, 1024)},
             .prepare =
                 [](const Shape& shape, int sets, std::uint64_t seed) {
                     return prepare<Bf16>({shape["tokens"], shape["hidden"], 2 * shape["hidden"], false},
                                          projection_work(shape), sets, seed);
                 },
             .set_bytes = [](const Shape& shape) { return projection_work(shape).bytes(); }}};
}

}  // namespace strata
